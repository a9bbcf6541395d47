// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sysfs tells of an sva device.
 *
 * Machine: plain engine
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bond_util.h"
#include "guest.h"
#include "kselftest_harness.h"

static int read_attr(const char *node, const char *name, char *value, size_t len)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device/sva/%s", node,
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, len - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static long read_number(const char *node, const char *name)
{
	char value[32];
	int ret = read_attr(node, name, value, sizeof(value));

	return ret ? ret : strtol(value, NULL, 0);
}

TEST(fdinfo_device_attributes)
{
	static const char *const names[] = {
		"exec", "priv", "page-requests", "nested", "pasid-table",
		"coherent",
	};
	struct sva_device_info info;
	char value[128], wanted[128] = "";
	uint32_t id, i;
	int fd = sva_open();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, guest_find_device(fd, "sva_sim0", &id));
	ASSERT_EQ(0, guest_device_info(fd, 0, id, &info));
	EXPECT_EQ(id, read_number("sva_sim0", "id"));
	EXPECT_EQ(info.pasid_bits, read_number("sva_sim0", "pasid_bits"));
	ASSERT_EQ(0, read_attr("sva_sim0", "iommu", value, sizeof(value)));
	EXPECT_STREQ(info.iommu, value);
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(info.caps & 1u << i))
			continue;
		if (*wanted)
			strcat(wanted, " ");
		strcat(wanted, names[i]);
	}
	ASSERT_EQ(0, read_attr("sva_sim0", "capabilities", value, sizeof(value)));
	EXPECT_STREQ(wanted, value);
	close(fd);
}

TEST(fdinfo_device_bonds)
{
	long before = read_number("sva_sim0", "bonds");
	int fd = sva_open(), sim[3], i;
	uint32_t pasid;

	ASSERT_LE(0, before);
	ASSERT_EQ(0, pasid_alloc(fd, 0, 0, 1, &pasid));
	for (i = 0; i < 3; i++) {
		sim[i] = bond_attached("sva_sim0", fd, pasid);
		ASSERT_LE(0, sim[i]);
		EXPECT_EQ(before + i + 1, read_number("sva_sim0", "bonds"));
	}
	for (i = 0; i < 3; i++)
		close(sim[i]);
	EXPECT_EQ(before, read_number("sva_sim0", "bonds"));
	close(fd);
}

/* Reads all that any engine has, again and again. */
static void *reader(void *arg)
{
	static const char *const names[] = {
		"id", "capabilities", "pasid_bits", "iommu", "bonds",
	};
	atomic_bool *stop = arg;

	while (!atomic_load(stop)) {
		DIR *dir = opendir("/sys/class/sva_sim");
		struct dirent *entry;
		char value[128];
		int i;

		while (dir && (entry = readdir(dir)))
			for (i = 0; i < 5; i++)
				read_attr(entry->d_name, names[i], value,
					  sizeof(value));
		if (dir)
			closedir(dir);
	}
	return NULL;
}

TEST(fdinfo_device_removed_while_read)
{
	atomic_bool stop = false;
	pthread_t thread[2];
	char name[32], node[32];
	int i, sim;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, reader, &stop));
	sva_sim_name(name, sizeof(name), "sysfs");
	for (i = 0; i < 50; i++) {
		sim = sva_sim_create(name, "0", NULL, NULL);
		ASSERT_LE(0, sim);
		close(sim);
		ASSERT_EQ(0, sva_sim_get(name, "dev", node, sizeof(node)));
		ASSERT_LE(0, read_number(node, "bonds"));
		ASSERT_EQ(0, sva_sim_remove(name));
		EXPECT_EQ(-ENOENT, read_number(node, "bonds"));
	}
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

TEST_HARNESS_MAIN
