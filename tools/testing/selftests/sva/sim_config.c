// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines in configfs, and the fault injection that other tests rely on.
 */
#include <sys/wait.h>

#include "sva_util.h"
#include "kselftest_harness.h"

#define RWF (SVA_IOVA_F_READ | SVA_IOVA_F_WRITE | SVA_IOVA_F_FIXED)

FIXTURE(sim_config) {
	char engine[32];
	char other[32];
	int sim;
	int fd;
};

FIXTURE_SETUP(sim_config)
{
	sva_sim_name(self->engine, sizeof(self->engine), "config");
	sva_sim_name(self->other, sizeof(self->other), "other");
	self->sim = sva_sim_create(self->engine, "1", "8", NULL);
	ASSERT_LE(0, self->sim);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(sim_config)
{
	close(self->fd);
	close(self->sim);
	EXPECT_EQ(0, sva_sim_remove(self->engine));
}

TEST_F(sim_config, sim_config_shows)
{
	struct sva_sim_info info;
	char value[32], dev[32];
	struct stat st;
	char path[64];

	ASSERT_EQ(0, sva_sim_info(self->sim, &info));
	EXPECT_EQ(255, info.pasid_max);
	EXPECT_EQ(1, info.iommu);
	EXPECT_EQ(1, sva_sim_count(self->engine, "enable"));
	EXPECT_EQ(1, sva_sim_count(self->engine, "iommu"));
	EXPECT_EQ(8, sva_sim_count(self->engine, "pasid_bits"));
	EXPECT_EQ(0, sva_sim_count(self->engine, "refuse"));
	ASSERT_EQ(0, sva_sim_get(self->engine, "group", value, sizeof(value)));
	EXPECT_STREQ("-1", value);

	/* The ones from the beginning are there too. */
	ASSERT_EQ(0, sva_sim_get("default0", "dev", dev, sizeof(dev)));
	EXPECT_STREQ("sva_sim0", dev);
	EXPECT_EQ(1, sva_sim_count("default1", "iommu"));

	ASSERT_EQ(0, stat(SVA_CONFIGFS "/default0/enable", &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	snprintf(path, sizeof(path), "/dev/%s", dev);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0, st.st_mode & 7);
}

TEST_F(sim_config, sim_config_refuses)
{
	/* Only while there is no engine. */
	EXPECT_EQ(-EBUSY, sva_sim_set(self->engine, "iommu", "0"));
	EXPECT_EQ(-EBUSY, sva_sim_set(self->engine, "pasid_bits", "20"));
	EXPECT_EQ(-EBUSY, sva_sim_set(self->engine, "group", "1"));
	/* Twice is once. */
	EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "1"));
	EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "0"));

	EXPECT_EQ(-ERANGE, sva_sim_set(self->engine, "iommu", "99"));
	EXPECT_EQ(-ERANGE, sva_sim_set(self->engine, "iommu", "-1"));
	EXPECT_EQ(-ERANGE, sva_sim_set(self->engine, "pasid_bits", "0"));
	EXPECT_EQ(-ERANGE, sva_sim_set(self->engine, "pasid_bits", "21"));
	EXPECT_EQ(-ERANGE, sva_sim_set(self->engine, "group", "-2"));
	EXPECT_EQ(-EINVAL, sva_sim_set(self->engine, "group", "one"));
	EXPECT_EQ(-EINVAL, sva_sim_set(self->engine, "enable", "maybe"));
	EXPECT_EQ(-EINVAL, sva_sim_set(self->engine, "iotlb_stale", "x"));
	EXPECT_EQ(-EINVAL, sva_sim_set(self->engine, "refuse", "x"));

	EXPECT_EQ(-1, rmdir(SVA_CONFIGFS "/default0"));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, mkdir(SVA_CONFIGFS "/default0", 0700));
	EXPECT_EQ(EEXIST, errno);
}

/* What is written is there to be read, and only there. */
TEST_F(sim_config, sim_config_keeps)
{
	static const struct {
		const char *name, *initial, *value;
		bool busy;	/* while there is an engine */
	} attributes[] = {
		{ "iommu", "1", "0", true },
		{ "pasid_bits", "8", "12", true },
		{ "group", "-1", "7", true },
		{ "shared_msi", "0", "1", true },
		{ "sw_msi", "0", "1", true },
		{ "refuse", "0x0", "0x11", false },
		{ "teardown_first", "0", "1", false },
		{ "iotlb_stale", "0", "1", false },
		{ "prq_group", "1", "4", false },
	};
	char value[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		EXPECT_EQ(attributes[i].busy ? -EBUSY : 0,
			  sva_sim_set(self->engine, attributes[i].name,
				      attributes[i].initial));
		ASSERT_EQ(0, sva_sim_get(self->engine, attributes[i].name, value,
					 sizeof(value)));
		EXPECT_STREQ(attributes[i].initial, value);
	}
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", value, sizeof(value)));
	EXPECT_STREQ("", value);
	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		EXPECT_EQ(-EINVAL, sva_sim_set(self->engine, attributes[i].name, "x"));
		EXPECT_EQ(0, sva_sim_set(self->engine, attributes[i].name,
					 attributes[i].value));
	}
	for (i = 0; i < ARRAY_SIZE(attributes); i++) {
		ASSERT_EQ(0, sva_sim_get(self->engine, attributes[i].name, value,
					 sizeof(value)));
		EXPECT_STREQ(attributes[i].value, value);
	}
}

TEST_F(sim_config, sim_config_come_and_go)
{
	int i, sim;

	for (i = 0; i < 50; i++) {
		sim = sva_sim_create(self->other, i % 2 ? "0" : "1", NULL, NULL);
		ASSERT_LE(0, sim);
		/* Open or closed, it goes at once. */
		if (i % 3)
			close(sim);
		ASSERT_EQ(0, sva_sim_remove(self->other));
		if (!(i % 3))
			close(sim);
	}
}

TEST_F(sim_config, sim_config_enable_again)
{
	char dev[32];
	int sim;

	EXPECT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", dev, sizeof(dev)));
	EXPECT_STREQ("", dev);
	ASSERT_EQ(0, sva_sim_set(self->engine, "pasid_bits", "12"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "1"));
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", dev, sizeof(dev)));
	sim = sva_sim_open_name(dev);
	ASSERT_LE(0, sim);
	close(sim);
}

static void group_of(const char *engine, char *group, size_t len)
{
	char path[96], dev[32];
	ssize_t n;

	group[0] = '\0';
	if (sva_sim_get(engine, "dev", dev, sizeof(dev)))
		return;
	snprintf(path, sizeof(path), "/sys/class/sva_sim/%s/device/iommu_group",
		 dev);
	n = readlink(path, group, len - 1);
	group[n < 0 ? 0 : n] = '\0';
}

TEST_F(sim_config, sim_config_groups)
{
	char mine[256], theirs[256];
	int sim;

	sim = sva_sim_create(self->other, "1", NULL, NULL);
	ASSERT_LE(0, sim);
	close(sim);
	group_of(self->engine, mine, sizeof(mine));
	group_of(self->other, theirs, sizeof(theirs));
	EXPECT_NE('\0', mine[0]);
	EXPECT_STRNE(mine, theirs);
	ASSERT_EQ(0, sva_sim_remove(self->other));

	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "group", "7"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "1"));
	sim = sva_sim_create(self->other, "1", NULL, "7");
	ASSERT_LE(0, sim);
	close(sim);
	group_of(self->engine, mine, sizeof(mine));
	group_of(self->other, theirs, sizeof(theirs));
	EXPECT_STREQ(mine, theirs);
	ASSERT_EQ(0, sva_sim_remove(self->other));

	/* The same number of another instance is another group. */
	sim = sva_sim_create(self->other, "0", NULL, "7");
	ASSERT_LE(0, sim);
	close(sim);
	group_of(self->other, theirs, sizeof(theirs));
	EXPECT_STRNE(mine, theirs);
	ASSERT_EQ(0, sva_sim_remove(self->other));
}

TEST_F(sim_config, sim_refuse_is_consumed)
{
	uint32_t as, pasid;

	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 255, &pasid));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));

	/* The first goes through, the second and the third are refused. */
	ASSERT_EQ(0, sva_sim_set(self->engine, "refuse", "0x6"));
	EXPECT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	EXPECT_EQ(3, sva_sim_count(self->engine, "refuse"));
	EXPECT_EQ(0, sva_sim_detach(self->sim));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	EXPECT_EQ(-EBUSY, sva_sim_attach(self->sim, self->fd, pasid, NULL));
	EXPECT_EQ(0, sva_sim_count(self->engine, "refuse"));
	EXPECT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));
}

/* Whatever the state in between: a refused rebind leaves the old translation. */
TEST_F(sim_config, sim_refused_replace)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *mem = sva_mem(2 * page);
	uint64_t iova = 0x10000;
	struct sva_sim_desc desc = sva_sim_fill(iova, 0, 8);
	uint32_t as[2], pasid;
	int i, teardown;

	ASSERT_NE(NULL, mem);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 255, &pasid));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sva_as_alloc(self->fd, &as[i]));
		ASSERT_EQ(0, sva_map(self->fd, as[i], RWF, mem + i * page, page,
				     &iova));
	}
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as[0]));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, NULL));

	for (teardown = 0; teardown < 2; teardown++) {
		ASSERT_EQ(0, sva_sim_set(self->engine, "teardown_first",
					 teardown ? "1" : "0"));
		ASSERT_EQ(0, sva_sim_set(self->engine, "refuse", "1"));
		EXPECT_EQ(-EBUSY, sva_pasid_bind(self->fd, pasid, as[1]));
		desc.src = 10 + teardown;
		ASSERT_EQ(0, sva_sim_run_blind(self->sim, &desc));
		EXPECT_EQ(10 + teardown, mem[0]);
		EXPECT_EQ(0, mem[page]);
	}
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as[1]));
	ASSERT_EQ(0, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(11, mem[page]);
	munmap(mem, 2 * page);
}

/* Translations are an instance's own: one PASID, one map, two instances. */
TEST_F(sim_config, sim_two_instances_one_map)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *mem = sva_mem(page);
	uint64_t iova = 0x10000;
	struct sva_sim_desc desc = sva_sim_fill(iova, 3, 8);
	uint32_t as, pasid, number[2];
	int sim = sva_sim_open(0);

	ASSERT_LE(0, sim);
	ASSERT_EQ(0, sva_pasid_alloc(self->fd, 0, 0, 255, &pasid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, pasid, &number[0]));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, &number[1]));
	EXPECT_EQ(number[0], number[1]);
	ASSERT_EQ(0, sva_map(self->fd, as, RWF, mem, page, &iova));
	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(3, mem[0]);
	desc.src = 4;
	EXPECT_EQ(0, sva_sim_run_blind(sim, &desc));
	EXPECT_EQ(4, mem[0]);
	ASSERT_EQ(0, sva_unmap(self->fd, as, iova, page));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(-EIO, sva_sim_run_blind(sim, &desc));
	close(sim);
	munmap(mem, page);
}

/* Untagged DMA: blocked until a RID handle is attached, and again afterwards. */
TEST_F(sim_config, sim_rid)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char *mem = sva_mem(page);
	uint64_t iova = 0x10000;
	struct sva_sim_desc desc = sva_sim_fill(iova, 3, 8);
	uint32_t as, rid, number = 1;

	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_RID, 0, 0, &rid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_map(self->fd, as, RWF, mem, page, &iova));
	ASSERT_EQ(0, sva_sim_attach(self->sim, self->fd, rid, &number));
	EXPECT_EQ(0, number);
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, rid, as));
	EXPECT_EQ(0, sva_sim_run_blind(self->sim, &desc));
	EXPECT_EQ(3, mem[0]);
	ASSERT_EQ(0, sva_pasid_bind(self->fd, rid, SVA_AS_NONE));
	EXPECT_EQ(-EIO, sva_sim_run_blind(self->sim, &desc));
	munmap(mem, page);
}

/* Where interrupts are not isolated, a RID handle is only for those who insist. */
TEST_F(sim_config, sim_rid_needs_isolated_interrupts)
{
	const char *param = "/sys/module/sva/parameters/allow_unsafe_interrupts";
	char unsafe = 'N', dev[32];
	int fd = open(param, O_RDONLY);
	uint32_t rid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, read(fd, &unsafe, 1));
	close(fd);
	ASSERT_EQ(-EBUSY, sva_sim_set(self->engine, "shared_msi", "1"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "0"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "shared_msi", "1"));
	ASSERT_EQ(0, sva_sim_set(self->engine, "enable", "1"));
	close(self->sim);
	ASSERT_EQ(0, sva_sim_get(self->engine, "dev", dev, sizeof(dev)));
	self->sim = sva_sim_open_name(dev);
	ASSERT_LE(0, self->sim);

	ASSERT_EQ(0, sva_pasid_alloc(self->fd, SVA_PASID_F_RID, 0, 0, &rid));
	EXPECT_EQ(unsafe == 'Y' ? 0 : -EPERM,
		  sva_sim_attach(self->sim, self->fd, rid, NULL));
}

TEST_HARNESS_MAIN
