// SPDX-License-Identifier: GPL-2.0-only
/*
 * Not of /dev/sva: the IOMMU of the patched QEMU still serves devices that know
 * nothing of PASIDs, in each of its modes. Disks and network cards of virtio are
 * behind it, and what they read and write arrives.
 *
 * Machine: virtio-legacy virtio-second virtio-first
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "sva_core.h"

/* The same contents: not translated, and translated */
#define PLAIN_DISK	"/dev/vda"
#define DISK_SERIAL	"sva"

#define CHUNK		(1UL << 20)
#define CHUNKS		32
#define FRAMES		500
#define FRAME_MAX	1500

/* In the kernel's log */
#define IOMMU_FAULT	"fault reason"

static bool reads_as(const char *path, const char *text)
{
	char line[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool same = read(fd, line, sizeof(line) - 1) > 0 &&
		    !strncmp(line, text, strlen(text));

	close(fd);
	return same;
}

/* Whether what the function behind a class device accesses is translated */
static bool is_translated(const char *class, const char *name)
{
	char path[PATH_MAX];

	/* "DMA", or "DMA-FQ" where unmapping waits for others */
	snprintf(path, sizeof(path), "/sys/%s/%s/device/../iommu_group/type",
		 class, name);
	return reads_as(path, "DMA");
}

/* --- a disk ----------------------------------------------------------------------- */

FIXTURE(virtio_disk) {
	int log;
	char name[32];
	int disk;
	char *buf[2];
};

static bool find_disk(char *name, size_t len)
{
	char path[PATH_MAX];
	int i;

	for (i = 'a'; i < 'z'; i++) {
		snprintf(name, len, "vd%c", i);
		snprintf(path, sizeof(path), "/sys/block/%s/serial", name);
		if (reads_as(path, DISK_SERIAL))
			return true;
	}
	return false;
}

FIXTURE_SETUP(virtio_disk)
{
	char path[PATH_MAX];
	int i;

	self->log = core_log_open();
	ASSERT_LE(0, self->log);
	ASSERT_TRUE(find_disk(self->name, sizeof(self->name)));
	snprintf(path, sizeof(path), "/dev/%s", self->name);
	self->disk = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, self->disk);
	for (i = 0; i < 2; i++) {
		self->buf[i] = sva_mem(CHUNK);
		ASSERT_NE(NULL, self->buf[i]);
	}
}

FIXTURE_TEARDOWN(virtio_disk)
{
	int i;

	for (i = 0; i < 2; i++)
		munmap(self->buf[i], CHUNK);
	close(self->disk);
	EXPECT_EQ(0, core_logged(self->log, IOMMU_FAULT, ""));
	close(self->log);
}

TEST_F(virtio_disk, virtio_disk_reads)
{
	int i, plain = open(PLAIN_DISK, O_RDONLY | O_DIRECT | O_CLOEXEC);

	ASSERT_LE(0, plain);
	ASSERT_TRUE(is_translated("block", self->name));
	for (i = 0; i < CHUNKS; i++) {
		ASSERT_EQ(CHUNK, pread(plain, self->buf[0], CHUNK, i * CHUNK));
		ASSERT_EQ(CHUNK, pread(self->disk, self->buf[1], CHUNK,
				       i * CHUNK));
		ASSERT_EQ(0, memcmp(self->buf[0], self->buf[1], CHUNK));
	}
	close(plain);
}

/* Where the test that reads does not look; QEMU forgets it in the end. */
TEST_F(virtio_disk, virtio_disk_writes)
{
	off_t base = CHUNKS * CHUNK;
	unsigned long at;
	int i;

	for (i = 0; i < CHUNKS / 2; i++) {
		for (at = 0; at < CHUNK; at += 8)
			*(uint64_t *)(self->buf[0] + at) = i * CHUNK + at + 1;
		ASSERT_EQ(CHUNK, pwrite(self->disk, self->buf[0], CHUNK,
					base + i * CHUNK));
	}
	for (i = 0; i < CHUNKS / 2; i++) {
		ASSERT_EQ(CHUNK, pread(self->disk, self->buf[1], CHUNK,
				       base + i * CHUNK));
		for (at = 0; at < CHUNK; at += 8)
			ASSERT_EQ(i * CHUNK + at + 1,
				  *(uint64_t *)(self->buf[1] + at));
	}
}

/* --- two network cards with a wire between them ------------------------------------- */

FIXTURE(virtio_net) {
	int log;
	int sock[2];
	char name[2][IFNAMSIZ];
	struct sockaddr_ll addr[2];
};

static const char *const macs[] = { "52:54:00:00:00:01", "52:54:00:00:00:02" };

static bool find_card(const char *mac, char *name)
{
	char path[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir = opendir("/sys/class/net");

	while (dir && !found && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/address",
			 entry->d_name);
		found = reads_as(path, mac);
		if (found)
			snprintf(name, IFNAMSIZ, "%.15s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* A protocol that nobody else speaks */
static int open_card(const char *name, struct sockaddr_ll *addr)
{
	struct ifreq req = {};
	int sock = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC,
			  htons(ETH_P_802_EX1));

	*addr = (struct sockaddr_ll) {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_802_EX1),
		.sll_ifindex = if_nametoindex(name), .sll_halen = ETH_ALEN,
	};
	memset(addr->sll_addr, 0xff, ETH_ALEN);
	strcpy(req.ifr_name, name);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &req))
		return -errno;
	req.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &req) ||
	    bind(sock, (struct sockaddr *)addr, sizeof(*addr)))
		return -errno;
	return sock;
}

FIXTURE_SETUP(virtio_net)
{
	int i, tries;

	self->sock[1] = -1;
	/* Cards get other names soon after they appear. */
	ASSERT_EQ(0, system("modprobe virtio_net && udevadm settle"));
	self->log = core_log_open();
	ASSERT_LE(0, self->log);
	for (i = 0; i < 2; i++) {
		for (tries = 0; tries < 100; tries++) {
			if (find_card(macs[i], self->name[i]))
				break;
			usleep(50000);
		}
		ASSERT_NE(100, tries);
		self->sock[i] = open_card(self->name[i], &self->addr[i]);
		if (self->sock[i] == -EAFNOSUPPORT)
			SKIP(return, "this kernel has no packet sockets");
		ASSERT_LE(0, self->sock[i]);
	}
}

FIXTURE_TEARDOWN(virtio_net)
{
	close(self->sock[0]);
	close(self->sock[1]);
	EXPECT_EQ(0, core_logged(self->log, IOMMU_FAULT, ""));
	close(self->log);
}

static void fill_frame(unsigned char *frame, size_t len, unsigned int seed)
{
	while (len--) {
		seed = seed * 1664525 + 1013904223;
		*frame++ = seed >> 24;
	}
}

TEST_F(virtio_net, virtio_net_frames)
{
	unsigned char sent[FRAME_MAX], got[FRAME_MAX + 1];
	struct pollfd pfd;
	size_t len;
	int i;

	for (i = 0; i < FRAMES; i++) {
		int from = i % 2;

		ASSERT_TRUE(is_translated("class/net", self->name[from]));
		len = 64 + i * 37 % (FRAME_MAX - 64);
		fill_frame(sent, len, i);
		ASSERT_EQ(len, sendto(self->sock[from], sent, len, 0,
				      (struct sockaddr *)&self->addr[from],
				      sizeof(self->addr[from])));
		pfd = (struct pollfd) { .fd = self->sock[!from], .events = POLLIN };
		ASSERT_EQ(1, poll(&pfd, 1, SVA_TIMEOUT_MS));
		ASSERT_EQ(len, recv(self->sock[!from], got, sizeof(got), 0));
		ASSERT_EQ(0, memcmp(sent, got, len));
	}
}

TEST_HARNESS_MAIN
