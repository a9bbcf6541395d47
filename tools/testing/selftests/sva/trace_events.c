// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each tracepoint: it is hit by what it is about, and says what that was.
 */
#include <stdarg.h>
#include <sys/mount.h>

#include "bond_util.h"
#include "guest.h"
#include "kselftest_harness.h"
#include "sva_list.h"

#define TRACEFS "/sys/kernel/tracing"

FIXTURE(trace) {
	char dir[64];		/* a buffer of our own */
	char *text;
	unsigned long long ctx;
	int fd;
};

#define TEXT_MAX	(1 << 20)

static int write_at(const char *dir, const char *name, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return sva_write_file(path, value);
}

FIXTURE_SETUP(trace)
{
	if (access(TRACEFS "/instances", F_OK))
		ASSERT_EQ(0, mount("tracefs", TRACEFS, "tracefs", 0, NULL));
	snprintf(self->dir, sizeof(self->dir), TRACEFS "/instances/sva-%d",
		 (int)getpid());
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	ASSERT_EQ(0, write_at(self->dir, "events/sva/enable", "1"));
	self->text = malloc(TEXT_MAX);
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	self->ctx = fdinfo_get(self->fd, "sva-context");
}

FIXTURE_TEARDOWN(trace)
{
	close(self->fd);
	free(self->text);
	EXPECT_EQ(0, write_at(self->dir, "events/sva/enable", "0"));
	EXPECT_EQ(0, rmdir(self->dir));
}

static void read_trace(const char *dir, char *text)
{
	char path[80];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", dir);
	f = fopen(path, "re");
	len = f ? fread(text, 1, TEXT_MAX - 1, f) : 0;
	text[len] = '\0';
	if (f)
		fclose(f);
}

/* Whether there is such an event of a context, and forgets what there is. */
static bool __attribute__((format(printf, 4, 5)))
has_event(const char *dir, char *text, unsigned long long ctx,
	  const char *format, ...)
{
	char rest[256], wanted[320], *event;
	va_list args;
	bool found;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	event = strchr(rest, ' ');
	*event++ = '\0';
	snprintf(wanted, sizeof(wanted), "%s: ctx=%llu %s", rest, ctx, event);

	read_trace(dir, text);
	found = strstr(text, wanted);
	if (!found)
		fprintf(stderr, "# no \"%s\" in:\n%s", wanted, text);
	return found;
}

#define HAS(...) has_event(self->dir, self->text, self->ctx, __VA_ARGS__)

TEST_F(trace, trace_alloc_free)
{
	uint32_t one, many, mm, rid;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &one));
	EXPECT_TRUE(HAS("sva_alloc pasid=%#x count=1 kind=number", one));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 9, &many));
	EXPECT_TRUE(HAS("sva_alloc pasid=%#x count=9 kind=number", many));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_MM, &mm));
	EXPECT_TRUE(HAS("sva_alloc pasid=%#x count=1 kind=process", mm));
	ASSERT_EQ(0, pasid_alloc_handle(self->fd, SVA_PASID_F_RID, &rid));
	EXPECT_TRUE(HAS("sva_alloc pasid=%#x count=1 kind=rid", rid));

	ASSERT_EQ(0, pasid_free(self->fd, one, 1));
	EXPECT_TRUE(HAS("sva_free pasid=%#x count=1", one));
	ASSERT_EQ(0, pasid_free(self->fd, mm, 1));
	EXPECT_TRUE(HAS("sva_free pasid=%#x count=1", mm));
	/* The rest goes with the context. */
	close(self->fd);
	EXPECT_TRUE(HAS("sva_free pasid=%#x count=9", many));
	EXPECT_TRUE(HAS("sva_free pasid=%#x count=1", rid));
	self->fd = -1;
}

/* It is nobody's context that is charged. */
TEST_F(trace, trace_charge)
{
	static const char cg[] = "/sys/fs/cgroup/trace-charge";
	struct stat st;
	uint32_t pasid;
	char event[80];
	int dir;

	ASSERT_EQ(0, mkdir(cg, 0755));
	ASSERT_EQ(0, stat(cg, &st));
	dir = open(cg, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, sva_write_file("/sys/fs/cgroup/trace-charge/cgroup.procs",
				    "0"));
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 5, &pasid));
	ASSERT_EQ(0, sva_ioctl(self->fd, SVA_QUOTA, &(struct sva_quota){
		.size = sizeof(struct sva_quota), .flags = SVA_QUOTA_F_SET,
		.id = dir, .max = 6,
	}));
	ASSERT_EQ(-EDQUOT, pasid_alloc(self->fd, 0, 0, 2, &pasid));
	close(dir);
	EXPECT_EQ(0, sva_write_file("/sys/fs/cgroup/cgroup.procs", "0"));
	EXPECT_EQ(0, rmdir(cg));

	read_trace(self->dir, self->text);
	snprintf(event, sizeof(event),
		 "sva_charge: cgroup=%llu uid=0 count=5 ret=0",
		 (unsigned long long)st.st_ino);
	EXPECT_NE(NULL, strstr(self->text, event));
	snprintf(event, sizeof(event),
		 "sva_charge: cgroup=%llu uid=0 count=2 ret=%d",
		 (unsigned long long)st.st_ino, -EDQUOT);
	EXPECT_NE(NULL, strstr(self->text, event));
}

TEST_F(trace, trace_bind_map)
{
	char *mem = sva_mem(2 * CORE_PAGE);
	uint32_t pasid, as;

	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(0, sva_as_alloc(self->fd, &as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, as));
	EXPECT_TRUE(HAS("sva_bind pasid=%#x as=%u ret=0", pasid, as));
	ASSERT_EQ(-ENOENT, sva_pasid_bind(self->fd, pasid + 1, as));
	EXPECT_TRUE(HAS("sva_bind pasid=%#x as=%u ret=%d", pasid + 1, as, -ENOENT));
	ASSERT_EQ(0, iova_map_at(self->fd, as, SVA_IOVA_F_READ, mem,
				 2 * CORE_PAGE, 0x10000));
	EXPECT_TRUE(HAS("sva_map as=%u iova=0x10000 length=0x2000 prot=r\n", as));
	ASSERT_LT(0, iova_unmap(self->fd, as, 0x10000, 2 * CORE_PAGE));
	EXPECT_TRUE(HAS("sva_unmap as=%u iova=0x10000 length=0x2000", as));
	ASSERT_EQ(0, iova_map_at(self->fd, as, CORE_RW, mem, CORE_PAGE, 0x30000));
	EXPECT_TRUE(HAS("sva_map as=%u iova=0x30000 length=0x1000 prot=rw", as));
	ASSERT_EQ(0, sva_pasid_bind(self->fd, pasid, SVA_AS_NONE));
	EXPECT_TRUE(HAS("sva_bind pasid=%#x as=0 ret=0", pasid));
	ASSERT_EQ(0, sva_destroy(self->fd, as));
	EXPECT_TRUE(HAS("sva_unmap as=%u iova=0x30000 length=0x1000", as));
	munmap(mem, 2 * CORE_PAGE);
}

TEST_F(trace, trace_attach_revoke_detach)
{
	char name[32], dev[32];
	uint32_t pasid;
	int sim;

	sva_sim_name(name, sizeof(name), "trace");
	sim = sva_sim_create(name, "0", NULL, NULL);
	ASSERT_LE(0, sim);
	ASSERT_EQ(0, pasid_alloc(self->fd, 0, 0, 1, &pasid));
	ASSERT_EQ(-ENOENT, sva_sim_attach(sim, self->fd, pasid + 1, NULL));
	EXPECT_TRUE(HAS("sva_attach pasid=%#x number=0 device=", pasid + 1));
	ASSERT_EQ(0, sva_sim_attach(sim, self->fd, pasid, NULL));
	EXPECT_TRUE(HAS("sva_attach pasid=%#x number=%u device=", pasid, pasid));
	ASSERT_EQ(0, sva_sim_get(name, "dev", dev, sizeof(dev)));
	ASSERT_EQ(0, sva_sim_set(name, "enable", "0"));
	EXPECT_TRUE(HAS("sva_revoke pasid=%#x number=%u device=", pasid, pasid));
	close(sim);
	EXPECT_TRUE(HAS("sva_detach pasid=%#x number=%u device=", pasid, pasid));
	EXPECT_EQ(0, sva_sim_remove(name));
}

TEST_F(trace, trace_fault_response_invalidate)
{
	struct sva_faultq_alloc fq = { .size = sizeof(fq), .depth = 4 };
	struct sva_fault_response resp = { .code = SVA_FAULT_INVALID };
	struct sva_invalidate inv = {
		.size = sizeof(inv), .data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.entry_len = sizeof(struct iommu_hwpt_vtd_s1_invalidate),
	};
	struct sva_fault fault[SVA_FAULT_GROUP_MAX];
	struct guest_space space;
	struct guest g;

	ASSERT_EQ(0, guest_init(&g, "0"));
	self->ctx = fdinfo_get(g.fd, "sva-context");
	ASSERT_EQ(0, sva_ioctl(g.fd, SVA_FAULTQ_ALLOC, &fq));
	guest_space_init(&space, &g, 4);
	ASSERT_EQ(0, guest_start(&space, g.sim, fq.fd));
	ASSERT_EQ(0, guest_submit(&space, g.sim,
				  sva_sim_fill(0x500000000000, 1, 8)));
	ASSERT_LT(0, read(fq.fd, fault, sizeof(fault)));
	EXPECT_TRUE(HAS("sva_fault pasid=%#x device=", space.pasid));
	EXPECT_NE(NULL, strstr(self->text, "addr=0x500000000000 perm="));
	EXPECT_NE(NULL, strstr(self->text, "pages=1 queued=1"));
	resp.cookie = fault[0].cookie;
	ASSERT_EQ((ssize_t)sizeof(resp), write(fq.fd, &resp, sizeof(resp)));
	EXPECT_TRUE(HAS("sva_response pasid=%#x device=", space.pasid));
	EXPECT_NE(NULL, strstr(self->text, "code=invalid"));

	inv.as_id = space.as;
	ASSERT_EQ(0, sva_ioctl(g.fd, SVA_INVALIDATE, &inv));
	EXPECT_TRUE(HAS("sva_invalidate id=%u entries=0 done=0 ret=0", space.as));
	close(fq.fd);
	EXPECT_EQ(0, guest_exit(&g));
}

TEST_HARNESS_MAIN
