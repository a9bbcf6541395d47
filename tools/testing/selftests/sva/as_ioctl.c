// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all ioctls of /dev/sva have in common: sizes, flags, reserved fields,
 * bad pointers, 32-bit callers. Each rule is tried on each ioctl.
 */
#include <stddef.h>
#include <sys/syscall.h>

#include "sva_core.h"
#include "kselftest_harness.h"

#define __unused	__attribute__((unused))

struct world {
	int fd;
	uint32_t as;
	uint32_t pasid;
	uint64_t src;			/* something is mapped there */
	uint64_t free_iova;		/* nothing is */
	char *memory;
	int memfd;
	struct sva_iova_range *ranges;
};

/* Makes a call that succeeds. */
typedef void (*fill_fn)(void *cmd, const struct world *w);

static void fill_get_info(void *cmd __unused, const struct world *w __unused)
{
}

static void fill_destroy(void *cmd, const struct world *w)
{
	struct sva_destroy *c = cmd;

	sva_as_alloc(w->fd, &c->id);
}

static void fill_pasid_alloc(void *cmd, const struct world *w __unused)
{
	struct sva_pasid_alloc *c = cmd;

	c->count = 1;
}

static void fill_pasid_free(void *cmd, const struct world *w)
{
	struct sva_pasid_free *c = cmd;

	c->count = 1;
	pasid_alloc(w->fd, 0, 0, 1, &c->pasid);
}

static void fill_pasid_info(void *cmd, const struct world *w)
{
	struct sva_pasid_info *c = cmd;

	c->pasid = w->pasid;
}

static void fill_pasid_bind(void *cmd, const struct world *w)
{
	struct sva_pasid_bind *c = cmd;

	c->pasid = w->pasid;
	c->as_id = SVA_AS_NONE;
}

static void fill_as_alloc(void *cmd, const struct world *w __unused)
{
	struct sva_as_alloc *c = cmd;

	c->type = SVA_AS_TYPE_IOVA;
}

static void fill_iova_ranges(void *cmd, const struct world *w)
{
	struct sva_iova_ranges *c = cmd;

	c->as_id = w->as;
	c->num = 8;
	c->ranges = (uintptr_t)w->ranges;
}

static void fill_iova_map(void *cmd, const struct world *w)
{
	struct sva_iova_map *c = cmd;

	c->flags = CORE_RW;
	c->as_id = w->as;
	c->user_va = (uintptr_t)w->memory;
	c->length = CORE_PAGE;
}

static void fill_iova_map_file(void *cmd, const struct world *w)
{
	struct sva_iova_map_file *c = cmd;

	c->flags = CORE_RW;
	c->as_id = w->as;
	c->fd = w->memfd;
	c->length = CORE_PAGE;
}

static void fill_iova_unmap(void *cmd, const struct world *w)
{
	struct sva_iova_unmap *c = cmd;

	iova_map_at(w->fd, w->as, CORE_RW, w->memory, CORE_PAGE, w->free_iova);
	c->as_id = w->as;
	c->iova = w->free_iova;
	c->length = CORE_PAGE;
}

static void fill_iova_copy(void *cmd, const struct world *w)
{
	struct sva_iova_copy *c = cmd;

	c->flags = CORE_RW;
	c->dst_as_id = w->as;
	c->src_as_id = w->as;
	c->length = CORE_PAGE;
	c->src_iova = w->src;
}

static void fill_quota(void *cmd, const struct world *w)
{
	struct sva_quota *c = cmd;

	(void)w;
	c->id = SVA_QUOTA_OWN_CGROUP;
}

static void fill_pasid_fd(void *cmd, const struct world *w)
{
	struct sva_pasid_fd *c = cmd;

	c->pasid = w->pasid;
}

#define NO_FIELD	(-1)

struct op {
	unsigned long request;
	unsigned int size;
	unsigned int first;	/* size of the first version, 0: the same */
	fill_fn fill;
	int flags;		/* offset of the field, or NO_FIELD */
	uint32_t known_flags;
	int reserved;		/* offset of the field, or NO_FIELD */
	bool responds;		/* writes its argument back */
	int id;			/* offset of an id of the context, or NO_FIELD */
	int id2;
};

#define TEST_OP(_name, _request, _struct, ...)				\
	static const struct op op_##_name = {				\
		.request = _request,					\
		.size = sizeof(struct _struct),				\
		.fill = fill_##_name,					\
		__VA_ARGS__						\
	}

#define AT(_struct, _field)	offsetof(struct _struct, _field)

TEST_OP(get_info, SVA_GET_INFO, sva_get_info,
	.flags = AT(sva_get_info, flags), .reserved = NO_FIELD,
	.responds = true, .id = NO_FIELD, .id2 = NO_FIELD);
TEST_OP(destroy, SVA_DESTROY, sva_destroy,
	.flags = NO_FIELD, .reserved = NO_FIELD,
	.id = AT(sva_destroy, id), .id2 = NO_FIELD);
TEST_OP(pasid_alloc, SVA_PASID_ALLOC, sva_pasid_alloc,
	.flags = AT(sva_pasid_alloc, flags),
	.known_flags = SVA_PASID_F_MM | SVA_PASID_F_RID, .reserved = NO_FIELD,
	.responds = true, .id = NO_FIELD, .id2 = NO_FIELD);
TEST_OP(pasid_free, SVA_PASID_FREE, sva_pasid_free,
	.flags = AT(sva_pasid_free, flags), .reserved = NO_FIELD,
	.id = AT(sva_pasid_free, pasid), .id2 = NO_FIELD);
TEST_OP(pasid_info, SVA_PASID_INFO, sva_pasid_info,
	.flags = AT(sva_pasid_info, flags), .reserved = NO_FIELD,
	.responds = true, .id = AT(sva_pasid_info, pasid), .id2 = NO_FIELD);
TEST_OP(pasid_bind, SVA_PASID_BIND, sva_pasid_bind,
	.flags = AT(sva_pasid_bind, flags), .reserved = NO_FIELD,
	.id = AT(sva_pasid_bind, pasid), .id2 = AT(sva_pasid_bind, as_id));
TEST_OP(as_alloc, SVA_AS_ALLOC, sva_as_alloc,
	.first = AT(sva_as_alloc, parent_id), .flags = AT(sva_as_alloc, flags),
	.known_flags = SVA_AS_F_NEST_PARENT | SVA_AS_F_FAULT,
	.reserved = AT(sva_as_alloc, __reserved),
	.responds = true, .id = NO_FIELD, .id2 = NO_FIELD);
TEST_OP(iova_ranges, SVA_IOVA_RANGES, sva_iova_ranges,
	.flags = NO_FIELD, .reserved = AT(sva_iova_ranges, __reserved),
	.responds = true, .id = AT(sva_iova_ranges, as_id), .id2 = NO_FIELD);
TEST_OP(iova_map, SVA_IOVA_MAP, sva_iova_map,
	.flags = AT(sva_iova_map, flags),
	.known_flags = CORE_RW | SVA_IOVA_F_FIXED,
	.reserved = AT(sva_iova_map, __reserved), .responds = true,
	.id = AT(sva_iova_map, as_id), .id2 = NO_FIELD);
TEST_OP(iova_map_file, SVA_IOVA_MAP_FILE, sva_iova_map_file,
	.flags = AT(sva_iova_map_file, flags),
	.known_flags = CORE_RW | SVA_IOVA_F_FIXED, .reserved = NO_FIELD,
	.responds = true, .id = AT(sva_iova_map_file, as_id), .id2 = NO_FIELD);
TEST_OP(iova_unmap, SVA_IOVA_UNMAP, sva_iova_unmap,
	.flags = NO_FIELD, .reserved = NO_FIELD, .responds = true,
	.id = AT(sva_iova_unmap, as_id), .id2 = NO_FIELD);
TEST_OP(iova_copy, SVA_IOVA_COPY, sva_iova_copy,
	.flags = AT(sva_iova_copy, flags),
	.known_flags = CORE_RW | SVA_IOVA_F_FIXED, .reserved = NO_FIELD,
	.responds = true, .id = AT(sva_iova_copy, dst_as_id),
	.id2 = AT(sva_iova_copy, src_as_id));
TEST_OP(quota, SVA_QUOTA, sva_quota, .flags = AT(sva_quota, flags),
	.known_flags = SVA_QUOTA_F_SET | SVA_QUOTA_F_USER,
	.reserved = AT(sva_quota, __reserved), .responds = true,
	.id = NO_FIELD, .id2 = NO_FIELD);
TEST_OP(pasid_fd, SVA_PASID_FD, sva_pasid_fd,
	.flags = AT(sva_pasid_fd, flags), .reserved = NO_FIELD,
	.responds = true, .id = AT(sva_pasid_fd, pasid), .id2 = NO_FIELD);

/* A world, and room for the argument. */
struct stage {
	struct core_counts before;
	struct world w;
	const struct op *op;
	char cmd[CORE_PAGE] __attribute__((aligned(8)));
};

static int set_stage(struct stage *stage, const struct op *op)
{
	struct world *w = &stage->w;

	stage->before = core_counts();
	stage->op = op;
	w->fd = sva_open();
	w->memory = sva_mem(2 * CORE_PAGE);
	w->ranges = sva_mem(CORE_PAGE);
	w->memfd = memfd_create("sva", MFD_CLOEXEC);
	w->free_iova = 1ULL << 40;
	if (w->fd < 0 || w->memfd < 0 || !w->memory || !w->ranges)
		return -ENOENT;
	if (ftruncate(w->memfd, CORE_PAGE))
		return -errno;
	return sva_as_alloc(w->fd, &w->as) ?:
	       pasid_alloc(w->fd, 0, 0, 1, &w->pasid) ?:
	       sva_map(w->fd, w->as, CORE_RW, w->memory, CORE_PAGE, &w->src);
}

static bool clear_stage(struct stage *stage)
{
	close(stage->w.memfd);
	close(stage->w.fd);
	return core_settles(&stage->before);
}

/* A fixture, of whose variants each is about one ioctl. */
#define STAGE(_name)							\
	FIXTURE(_name) { struct stage stage; };				\
	FIXTURE_VARIANT(_name) { const struct op *op; };		\
	FIXTURE_SETUP(_name)						\
	{								\
		ASSERT_EQ(0, set_stage(&self->stage, variant->op));	\
	}								\
	FIXTURE_TEARDOWN(_name)						\
	{								\
		EXPECT_TRUE(clear_stage(&self->stage));			\
	}

#define ON(_name, _op)							\
	FIXTURE_VARIANT_ADD(_name, _op) { .op = &op_##_op }

static void prepare(struct stage *s, void *cmd, uint32_t size)
{
	memset(cmd, 0, s->op->size);
	memcpy(cmd, &size, sizeof(size));
	s->op->fill(cmd, &s->w);
}

static void set_u32(void *cmd, int offset, uint32_t value)
{
	memcpy((char *)cmd + offset, &value, sizeof(value));
}

static int call_with(struct stage *s, void *cmd)
{
	return sva_ioctl(s->w.fd, s->op->request, cmd);
}

static int call(struct stage *s)
{
	return call_with(s, s->cmd);
}

/* --- rules for all of them --------------------------------------------------- */

STAGE(as_ioctl)
ON(as_ioctl, get_info);
ON(as_ioctl, destroy);
ON(as_ioctl, pasid_alloc);
ON(as_ioctl, pasid_free);
ON(as_ioctl, pasid_info);
ON(as_ioctl, pasid_bind);
ON(as_ioctl, as_alloc);
ON(as_ioctl, iova_ranges);
ON(as_ioctl, iova_map);
ON(as_ioctl, iova_map_file);
ON(as_ioctl, iova_unmap);
ON(as_ioctl, iova_copy);
ON(as_ioctl, quota);
ON(as_ioctl, pasid_fd);

TEST_F(as_ioctl, exact)
{
	prepare(&self->stage, self->stage.cmd, variant->op->size);
	EXPECT_EQ(0, call(&self->stage));
}

TEST_F(as_ioctl, unaligned_struct)
{
	char *cmd = self->stage.cmd + 1;

	prepare(&self->stage, cmd, variant->op->size);
	EXPECT_EQ(0, call_with(&self->stage, cmd));
}

static unsigned int first_size(const struct op *op)
{
	return op->first ? op->first : op->size;
}

TEST_F(as_ioctl, short_struct)
{
	struct core_counts counts;
	uint32_t size;

	prepare(&self->stage, self->stage.cmd, variant->op->size);
	counts = core_counts();
	for (size = 0; size < first_size(variant->op); size++) {
		set_u32(self->stage.cmd, 0, size);
		EXPECT_EQ(-EINVAL, call(&self->stage));
	}
	EXPECT_TRUE(core_settles(&counts));
}

TEST_F(as_ioctl, long_struct_of_zeros)
{
	unsigned int i;

	memset(self->stage.cmd, 0, sizeof(self->stage.cmd));
	prepare(&self->stage, self->stage.cmd, sizeof(self->stage.cmd));
	EXPECT_EQ(0, call(&self->stage));
	for (i = variant->op->size; i < sizeof(self->stage.cmd); i++)
		ASSERT_EQ(0, self->stage.cmd[i]);
}

TEST_F(as_ioctl, long_struct_with_one_byte)
{
	struct core_counts counts;
	unsigned int i;

	memset(self->stage.cmd, 0, sizeof(self->stage.cmd));
	prepare(&self->stage, self->stage.cmd, variant->op->size + 16);
	counts = core_counts();
	for (i = variant->op->size; i < variant->op->size + 16; i++) {
		self->stage.cmd[i] = 1;
		EXPECT_EQ(-E2BIG, call(&self->stage));
		self->stage.cmd[i] = 0;
	}
	EXPECT_TRUE(core_settles(&counts));
	EXPECT_EQ(0, call(&self->stage));
}

TEST_F(as_ioctl, monstrous_struct)
{
	prepare(&self->stage, self->stage.cmd, variant->op->size);
	set_u32(self->stage.cmd, 0, CORE_PAGE + 1);
	EXPECT_EQ(-E2BIG, call(&self->stage));
	set_u32(self->stage.cmd, 0, UINT32_MAX);
	EXPECT_EQ(-E2BIG, call(&self->stage));
}

TEST_F(as_ioctl, bad_pointer)
{
	char *two = sva_mem(2 * CORE_PAGE);
	struct core_counts counts = core_counts();

	ASSERT_NE(NULL, two);
	ASSERT_EQ(0, munmap(two + CORE_PAGE, CORE_PAGE));
	EXPECT_EQ(-EFAULT, call_with(&self->stage, NULL));
	EXPECT_EQ(-EFAULT, call_with(&self->stage, (void *)-4096L));
	EXPECT_EQ(-EFAULT, call_with(&self->stage, two + CORE_PAGE));

	/* Its size can be read, the rest cannot. */
	set_u32(two + CORE_PAGE - 4, 0, variant->op->size);
	EXPECT_EQ(-EFAULT, call_with(&self->stage, two + CORE_PAGE - 4));
	EXPECT_TRUE(core_settles(&counts));
	munmap(two, CORE_PAGE);
}

/* The answer cannot be written: no object may be left behind. */
TEST_F(as_ioctl, read_only_struct)
{
	char *page = sva_mem(CORE_PAGE);
	struct core_counts counts;
	int ret;

	ASSERT_NE(NULL, page);
	prepare(&self->stage, page, variant->op->size);
	counts = core_counts();
	ASSERT_EQ(0, mprotect(page, CORE_PAGE, PROT_READ));
	ret = call_with(&self->stage, page);
	EXPECT_EQ(variant->op->responds ? -EFAULT : 0, ret);
	/* What is unmapped stays unmapped. */
	if (variant->op->responds && variant->op->request != SVA_IOVA_UNMAP) {
		EXPECT_TRUE(core_settles(&counts));
	}
	munmap(page, CORE_PAGE);
}

/* ioctl(2) as a 32-bit program calls it, which this may be one of itself. */
static int call32(int fd, unsigned long request, void *arg)
{
#ifdef __x86_64__
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (request), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
#else
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
#endif
}

/* A kernel without 32-bit system calls kills who tries one. */
static bool have_call32(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(call32(-1, SVA_GET_INFO, NULL) != -EBADF);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

TEST_F(as_ioctl, caller_of_32_bits)
{
	int fd = self->stage.w.fd;
	char *low;

	if (!have_call32())
		SKIP(return, "this kernel has no 32-bit system calls");
	low = mmap(NULL, CORE_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)low);

	prepare(&self->stage, low, variant->op->size);
	EXPECT_EQ(0, call32(fd, variant->op->request, low));
	set_u32(low, 0, first_size(variant->op) - 1);
	EXPECT_EQ(-EINVAL, call32(fd, variant->op->request, low));
	set_u32(low, 0, variant->op->size + 4);
	set_u32(low, variant->op->size, 1);
	EXPECT_EQ(-E2BIG, call32(fd, variant->op->request, low));
	EXPECT_EQ(-EFAULT, call32(fd, variant->op->request, (void *)0x10));
	EXPECT_EQ(-ENOTTY, call32(fd, _IO(SVA_TYPE, 0x7f), low));
	munmap(low, CORE_PAGE);
}

TEST_F(as_ioctl, other_directions_of_the_number)
{
	unsigned int nr = _IOC_NR(variant->op->request);

	prepare(&self->stage, self->stage.cmd, variant->op->size);
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->stage.w.fd,
				     _IOC(_IOC_READ, SVA_TYPE, nr, 0),
				     self->stage.cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->stage.w.fd,
				     _IOC(_IOC_READ | _IOC_WRITE, SVA_TYPE, nr,
					  variant->op->size), self->stage.cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->stage.w.fd, _IO(SVA_TYPE + 1, nr),
				     self->stage.cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->stage.w.fd, _IO(';', nr), self->stage.cmd));
}

/* --- calls that write an answer ------------------------------------------------ */

STAGE(as_answer)
ON(as_answer, get_info);
ON(as_answer, pasid_alloc);
ON(as_answer, pasid_info);
ON(as_answer, as_alloc);
ON(as_answer, iova_ranges);
ON(as_answer, iova_map);
ON(as_answer, iova_map_file);
ON(as_answer, iova_copy);
ON(as_answer, quota);
ON(as_answer, pasid_fd);

/* It fails each time at its very end; afterwards it works as if nothing was. */
TEST_F(as_answer, read_only_struct_many_times)
{
	char *page = sva_mem(CORE_PAGE);
	int i;

	ASSERT_NE(NULL, page);
	prepare(&self->stage, page, variant->op->size);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, mprotect(page, CORE_PAGE, PROT_READ));
		ASSERT_EQ(-EFAULT, call_with(&self->stage, page));
	}
	ASSERT_EQ(0, mprotect(page, CORE_PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, call_with(&self->stage, page));
	munmap(page, CORE_PAGE);
}

/* --- calls with flags -------------------------------------------------------- */

STAGE(as_flags)
ON(as_flags, get_info);
ON(as_flags, pasid_alloc);
ON(as_flags, pasid_free);
ON(as_flags, pasid_info);
ON(as_flags, pasid_bind);
ON(as_flags, as_alloc);
ON(as_flags, iova_map);
ON(as_flags, iova_map_file);
ON(as_flags, iova_copy);
ON(as_flags, quota);
ON(as_flags, pasid_fd);

TEST_F(as_flags, unknown_flags)
{
	struct core_counts counts;
	uint32_t known;
	int bit;

	prepare(&self->stage, self->stage.cmd, variant->op->size);
	memcpy(&known, self->stage.cmd + variant->op->flags, sizeof(known));
	counts = core_counts();
	for (bit = 0; bit < 32; bit++) {
		if (variant->op->known_flags & (1U << bit))
			continue;
		set_u32(self->stage.cmd, variant->op->flags, known | 1U << bit);
		EXPECT_EQ(-EOPNOTSUPP, call(&self->stage));
	}
	EXPECT_TRUE(core_settles(&counts));
	set_u32(self->stage.cmd, variant->op->flags, known);
	EXPECT_EQ(0, call(&self->stage));
}

/* --- calls with reserved fields ---------------------------------------------- */

STAGE(as_reserved)
ON(as_reserved, iova_ranges);
ON(as_reserved, iova_map);

TEST_F(as_reserved, reserved_field)
{
	int bit;

	prepare(&self->stage, self->stage.cmd, variant->op->size);
	for (bit = 0; bit < 32; bit++) {
		set_u32(self->stage.cmd, variant->op->reserved, 1U << bit);
		EXPECT_EQ(-EINVAL, call(&self->stage));
	}
}

/* --- calls with ids ---------------------------------------------------------- */

STAGE(as_id)
ON(as_id, destroy);
ON(as_id, pasid_free);
ON(as_id, pasid_info);
ON(as_id, pasid_bind);
ON(as_id, iova_ranges);
ON(as_id, iova_map);
ON(as_id, iova_map_file);
ON(as_id, iova_unmap);
ON(as_id, iova_copy);
ON(as_id, pasid_fd);

static int try_id(struct stage *s, int offset, uint32_t id)
{
	prepare(s, s->cmd, s->op->size);
	set_u32(s->cmd, offset, id);
	return call(s);
}

TEST_F(as_id, unknown_id)
{
	static const uint32_t ids[] = {
		0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 1000000,
		1 << 20, (1 << 20) - 1,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(-ENOENT, try_id(&self->stage, variant->op->id, ids[i]));
		if (variant->op->id2 != NO_FIELD)
			EXPECT_EQ(-ENOENT,
				  try_id(&self->stage, variant->op->id2, ids[i]));
	}
	EXPECT_EQ(-ENOENT, try_id(&self->stage, variant->op->id, 0));
}

/* An id is found in its own context only. */
TEST_F(as_id, id_of_another_context)
{
	bool is_pasid = variant->op->request == SVA_PASID_FREE ||
			variant->op->request == SVA_PASID_INFO ||
			variant->op->request == SVA_PASID_BIND;
	uint32_t as, pasid, handle, more;
	int other, i;

	other = sva_open();
	ASSERT_LE(0, other);
	/* Ids begin anew in each context: beyond those that we have. */
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, sva_as_alloc(other, &as));
	ASSERT_EQ(0, pasid_alloc(other, 0, 0, 1, &pasid));
	ASSERT_EQ(0, pasid_alloc_handle(other, SVA_PASID_F_RID, &handle));
	ASSERT_EQ(0, pasid_alloc_handle(other, SVA_PASID_F_RID, &more));

	if (is_pasid) {
		EXPECT_EQ(-ENOENT,
			  try_id(&self->stage, variant->op->id, pasid));
		EXPECT_EQ(-ENOENT,
			  try_id(&self->stage, variant->op->id, more));
	} else {
		EXPECT_EQ(-ENOENT, try_id(&self->stage, variant->op->id, as));
	}
	if (variant->op->id2 != NO_FIELD)
		EXPECT_EQ(-ENOENT, try_id(&self->stage, variant->op->id2, as));

	EXPECT_EQ(0, sva_destroy(other, as));
	EXPECT_EQ(0, pasid_free(other, pasid, 1));
	close(other);
}

/* --- numbers ----------------------------------------------------------------- */

FIXTURE(as_number) {
	struct core_counts before;
	int fd;
	char cmd[256] __attribute__((aligned(8)));
};

FIXTURE_SETUP(as_number)
{
	self->before = core_counts();
	self->fd = sva_open();
	ASSERT_LE(0, self->fd);
	memset(self->cmd, 0, sizeof(self->cmd));
	self->cmd[0] = 64;
}

FIXTURE_TEARDOWN(as_number)
{
	close(self->fd);
	EXPECT_TRUE(core_settles(&self->before));
}

TEST_F(as_number, unknown_ioctls)
{
	unsigned int nr;

	for (nr = SVA_CMD_LIST + 1; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY,
			  sva_ioctl(self->fd, _IO(SVA_TYPE, nr), self->cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->fd, FIONREAD, self->cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->fd, 0, self->cmd));
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->fd, UINT32_MAX, self->cmd));
	/* The argument of an unknown ioctl is not looked at. */
	EXPECT_EQ(-ENOTTY, sva_ioctl(self->fd, _IO(SVA_TYPE, 0x7f), NULL));
}

TEST_F(as_number, dirty_tracking_is_reserved)
{
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_ioctl(self->fd, SVA_IOVA_DIRTY_SET, self->cmd));
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_ioctl(self->fd, SVA_IOVA_DIRTY_READ, self->cmd));
	/* Whatever they will want to know. */
	memset(self->cmd + 4, 0xff, 60);
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_ioctl(self->fd, SVA_IOVA_DIRTY_SET, self->cmd));
	EXPECT_EQ(-EOPNOTSUPP,
		  sva_ioctl(self->fd, SVA_IOVA_DIRTY_READ, self->cmd));
}

TEST_F(as_number, dirty_tracking_flag_is_reserved)
{
	struct sva_as_alloc cmd = {
		.size = sizeof(cmd),
		.flags = SVA_AS_F_DIRTY,
		.type = SVA_AS_TYPE_IOVA,
	};

	EXPECT_EQ(-EOPNOTSUPP, sva_ioctl(self->fd, SVA_AS_ALLOC, &cmd));
}

TEST_F(as_number, info)
{
	struct sva_get_info info;

	ASSERT_EQ(0, core_info(self->fd, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(SVA_FEATURE_PASID | SVA_FEATURE_PROCESS | SVA_FEATURE_RID |
		  SVA_FEATURE_IOVA | SVA_FEATURE_MAP_FILE |
		  SVA_FEATURE_DEVICE_INFO | SVA_FEATURE_NESTED |
		  SVA_FEATURE_FAULTQ | SVA_FEATURE_VIOMMU |
		  SVA_FEATURE_QUOTA | SVA_FEATURE_PASID_FD | SVA_FEATURE_LIST,
		  info.features);
	EXPECT_LT(0, info.pasid_min);
	EXPECT_LE(info.pasid_min, info.pasid_max);
	EXPECT_GT(1 << SVA_PASID_WIDTH_MAX, info.pasid_max);
	EXPECT_LT(0, info.pool_size);
	EXPECT_GE(info.pasid_max - info.pasid_min + 1, info.pool_size);
	EXPECT_EQ(core_count("pool_size"), info.pool_size);
	EXPECT_LE(1024, info.range_max);
	EXPECT_EQ(CORE_PAGE, info.map_align);
	EXPECT_EQ(0, info.__reserved);
}

/* What is only output may hold anything on the way in. */
TEST_F(as_number, output_fields_are_not_input)
{
	struct sva_get_info info;

	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	EXPECT_EQ(0, sva_ioctl(self->fd, SVA_GET_INFO, &info));
	EXPECT_EQ(0, info.__reserved);
}

TEST_F(as_number, neither_read_nor_written_nor_mapped)
{
	EXPECT_EQ(-1, read(self->fd, self->cmd, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, self->cmd, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, CORE_PAGE, PROT_READ, MAP_SHARED,
				   self->fd, 0));
	EXPECT_EQ(ENODEV, errno);
}

TEST_HARNESS_MAIN
