// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASIDs on a VFIO device, with the first allocation or copy of a call failing, then
 * the second, and so on: a call that fails leaves everything as it was, and works when
 * it is made again. fail_nth.c does the same for /dev/sva.
 */
#include <sys/mman.h>

#include "fail_util.h"
#include "vfio_util.h"
#include "kselftest_harness.h"

/* No call has so many points. */
#define NTH_MAX		2000

FIXTURE(vfio_fail) {
	struct core_counts before;
	int nth;
	char name[32];
	struct vfio_hw hw;
	struct vfio_dev dev;
	struct vfio_as as;
	int event;
};

FIXTURE_SETUP(vfio_fail)
{
	self->before = core_counts();
	self->dev = (struct vfio_dev)VFIO_DEV_NONE;
	self->nth = fail_open();
	if (self->nth == -ENOSYS)
		SKIP(return, "this kernel cannot make allocations fail");
	ASSERT_LE(0, self->nth);
	if (!vfio_load())
		SKIP(return, "this kernel has no VFIO");
	sva_sim_name(self->name, sizeof(self->name), "fail");
	ASSERT_EQ(0, vfio_sim_make(&self->hw, self->name, NULL, NULL));
	ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
	ASSERT_EQ(0, vfio_as_make(&self->as));
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	/* The faults are meant for calls, and not for a page that is written first. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
}

FIXTURE_TEARDOWN(vfio_fail)
{
	if (self->nth < 0)
		return;
	close(self->nth);
	close(self->event);
	vfio_close(&self->dev);
	vfio_as_end(&self->as);
	EXPECT_EQ(0, sva_sim_remove(self->name));
	EXPECT_TRUE(vfio_unused());
	EXPECT_TRUE(core_settles(&self->before));
}

/* Whether nothing is attached, seen from both sides */
static bool unchanged(FIXTURE_DATA(vfio_fail) *self)
{
	struct sva_vfio_info info;
	struct sva_pasid_info pasid;

	return !vfio_sva_info(self->dev.fd, &info) && !info.attached &&
	       !sva_pasid_info(self->as.fd, self->as.pasid, &pasid) && !pasid.bonds;
}

/* Everything once without faults: all of the stack that is used is there then. */
static bool warm_up(FIXTURE_DATA(vfio_fail) *self)
{
	return !vfio_attach_event(self->dev.fd, self->as.fd, self->as.pasid,
				  self->event, NULL) &&
	       !vfio_detach(self->dev.fd, self->as.pasid) && unchanged(self) &&
	       fail_at(self->nth, 0) && !vfio_set_irqs(self->dev.fd, 0, 0, 1, &self->event);
}

TEST_F_TIMEOUT(vfio_fail, vfio_fail_attach, 100)
{
	bool hit = true;
	int n, ret;

	ASSERT_TRUE(warm_up(self));
	for (n = 1; n < NTH_MAX && hit; n++) {
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = vfio_attach_event(self->dev.fd, self->as.fd, self->as.pasid,
					self->event, NULL);
		hit = fail_end(self->nth);
		if (ret) {
			ASSERT_TRUE(hit);
			ASSERT_TRUE(ret == -ENOMEM || ret == -EFAULT);
			ASSERT_TRUE(unchanged(self));
			ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd,
						 self->as.pasid, NULL));
		}
		ASSERT_EQ(SVA_SIM_STATUS_OK,
			  vfio_copy(&self->dev, 0, self->as.pasid, self->as.mem));
		ASSERT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	}
	EXPECT_LT(n, NTH_MAX);
	TH_LOG("%d points", n - 2);
}

/* Nothing of it can fail but the copy of its argument. */
TEST_F_TIMEOUT(vfio_fail, vfio_fail_detach, 100)
{
	bool hit = true;
	int n, ret;

	ASSERT_TRUE(warm_up(self));
	for (n = 1; n < NTH_MAX && hit; n++) {
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid,
					 NULL));
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = vfio_detach(self->dev.fd, self->as.pasid);
		hit = fail_end(self->nth);
		if (ret) {
			ASSERT_TRUE(hit);
			ASSERT_EQ(-EFAULT, ret);
			ASSERT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
		}
		ASSERT_TRUE(unchanged(self));
	}
	EXPECT_LT(n, NTH_MAX);
}

TEST_F_TIMEOUT(vfio_fail, vfio_fail_info, 100)
{
	struct sva_vfio_info info;
	bool hit = true;
	int n, ret;

	for (n = 1; n < NTH_MAX && hit; n++) {
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = vfio_sva_info(self->dev.fd, &info);
		hit = fail_end(self->nth);
		if (ret) {
			ASSERT_TRUE(hit);
			ASSERT_TRUE(ret == -ENOMEM || ret == -EFAULT);
			ASSERT_TRUE(unchanged(self));
		}
	}
	EXPECT_LT(n, NTH_MAX);
}

/* The first descriptor of a device: PASIDs can be attached from then on. */
TEST_F_TIMEOUT(vfio_fail, vfio_fail_open, 100)
{
	bool hit = true;
	int n, err;

	ASSERT_TRUE(warm_up(self));
	for (n = 1; n < NTH_MAX && hit; n++) {
		close(self->dev.fd);
		ASSERT_TRUE(fail_at(self->nth, n));
		self->dev.fd = ioctl(self->dev.group, VFIO_GROUP_GET_DEVICE_FD,
				     self->hw.name);
		err = errno;
		hit = fail_end(self->nth);
		if (self->dev.fd < 0) {
			ASSERT_TRUE(hit);
			ASSERT_TRUE(err == ENOMEM || err == EFAULT);
			self->dev.fd = ioctl(self->dev.group,
					     VFIO_GROUP_GET_DEVICE_FD,
					     self->hw.name);
			ASSERT_LE(0, self->dev.fd);
		}
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd,
					 self->as.pasid, NULL));
		ASSERT_EQ(0, vfio_detach(self->dev.fd, self->as.pasid));
	}
	EXPECT_LT(n, NTH_MAX);
}

/* The driver, to a device that has none */
TEST_F_TIMEOUT(vfio_fail, vfio_fail_bind, 100)
{
	struct core_counts before;
	bool hit = true;
	int n, ret;

	/* It warns of the group that it has to give back. */
	ASSERT_EQ(0, fail_never_in("vfio_create_group"));
	vfio_close(&self->dev);
	before = core_counts();
	for (n = 1; n < NTH_MAX && hit; n++) {
		ASSERT_EQ(0, vfio_hw_unbind(&self->hw));
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = vfio_hw_bind(&self->hw, "sva-vfio-sim");
		hit = fail_end(self->nth);
		if (ret) {
			ASSERT_TRUE(hit);
			ASSERT_TRUE(core_settles(&before));
			ASSERT_EQ(0, vfio_hw_bind(&self->hw, "sva-vfio-sim"));
		}
		ASSERT_EQ(0, vfio_open(&self->dev, &self->hw));
		ASSERT_EQ(0, vfio_attach(self->dev.fd, self->as.fd, self->as.pasid,
					 NULL));
		vfio_close(&self->dev);
	}
	EXPECT_LT(n, NTH_MAX);
	TH_LOG("%d points", n - 2);
}

TEST_F_TIMEOUT(vfio_fail, vfio_fail_interrupts, 100)
{
	int32_t fds[8];
	bool hit = true;
	int i, n, ret;

	ASSERT_TRUE(warm_up(self));
	for (i = 0; i < 8; i++)
		fds[i] = self->event;
	for (n = 1; n < NTH_MAX && hit; n++) {
		ASSERT_TRUE(fail_at(self->nth, n));
		ret = vfio_set_irqs(self->dev.fd, 0, 0, 8, fds);
		hit = fail_end(self->nth);
		if (ret) {
			ASSERT_TRUE(hit);
			ASSERT_TRUE(ret == -ENOMEM || ret == -EFAULT);
		}
	}
	EXPECT_LT(n, NTH_MAX);
}

TEST_HARNESS_MAIN
