// SPDX-License-Identifier: GPL-2.0-only
/*
 * sva doctor on a machine with an Intel IOMMU in scalable mode, and what it says
 * about PCI devices: a real one, and others that are real but for their
 * configuration space.
 *
 * Machine: vtd
 */
#include <linux/pci_regs.h>

#include "kselftest_harness.h"

#include "doctor_util.h"

/* A virtio device behind a port, with ATS and nothing else. */
#define DEVICE	"0000:01:00.0"
#define CONFIG	"/sys/bus/pci/devices/" DEVICE "/config"

#define ATS	0x100
#define PASID	0x120
#define PRI	0x140
#define ACS	0x100

struct config {
	unsigned char bytes[4096];
};

static void put16(struct config *config, unsigned int at, unsigned int value)
{
	config->bytes[at] = value;
	config->bytes[at + 1] = value >> 8;
}

static void put32(struct config *config, unsigned int at, unsigned int value)
{
	put16(config, at, value);
	put16(config, at + 2, value >> 16);
}

/* A function of PCI Express; with @prefix it forwards requests with PASIDs. */
static void express(struct config *config, unsigned int type, bool prefix)
{
	memset(config, 0, sizeof(*config));
	put16(config, PCI_STATUS, PCI_STATUS_CAP_LIST);
	put16(config, PCI_CAPABILITY_LIST, 0x40);
	put16(config, 0x40, PCI_CAP_ID_EXP);
	put16(config, 0x40 + PCI_EXP_FLAGS, type << 4 | 2);
	put32(config, 0x40 + PCI_EXP_DEVCAP2, prefix ? 1 << 21 : 0);
}

static void capability(struct config *config, unsigned int at, unsigned int id,
		       unsigned int next)
{
	put32(config, at, id | 1 << 16 | next << 20);
}

/* An endpoint with all three capabilities, none of them enabled. */
static void endpoint(struct config *config, bool prefix)
{
	express(config, PCI_EXP_TYPE_ENDPOINT, prefix);
	capability(config, ATS, PCI_EXT_CAP_ID_ATS, PASID);
	capability(config, PASID, PCI_EXT_CAP_ID_PASID, PRI);
	put16(config, PASID + PCI_PASID_CAP, 20 << 8);
	capability(config, PRI, PCI_EXT_CAP_ID_PRI, 0);
}

static void port(struct config *config, bool prefix, bool acs)
{
	express(config, PCI_EXP_TYPE_ROOT_PORT, prefix);
	if (!acs)
		return;
	capability(config, ACS, PCI_EXT_CAP_ID_ACS, 0);
	put16(config, ACS + PCI_ACS_CTRL, PCI_ACS_RR | PCI_ACS_UF);
}

FIXTURE(doctor_vtd) {
	struct config config;
	char port[128];
	struct visit visit;
};

FIXTURE_SETUP(doctor_vtd)
{
	char path[128], *end;

	ASSERT_EQ(0, tool_private());
	ASSERT_NE(NULL, realpath("/sys/bus/pci/devices/" DEVICE, path));
	end = strrchr(path, '/');
	*end = '\0';
	snprintf(self->port, sizeof(self->port), "%.100s/config", path);
}

FIXTURE_TEARDOWN(doctor_vtd)
{
	doctor_end(&self->visit);
}

#define FOUND(_id, _part) doctor_found(&self->visit, DEVICE, _id, _part)

TEST_F(doctor_vtd, doctor_scalable)
{
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_STREQ("ok", doctor_verdict(&self->visit, "boot"));
	EXPECT_STREQ("ok", doctor_verdict(&self->visit, "firmware"));
	EXPECT_STREQ("ok", doctor_verdict(&self->visit, "iommu"));
	EXPECT_STREQ("ok", doctor_verdict(&self->visit, "iommu-pasid"));
	EXPECT_STREQ("ok", FOUND("device-iommu", "verdict"));
}

TEST_F(doctor_vtd, doctor_ats_without_pasid)
{
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_EQ(1, self->visit.status);
	EXPECT_STREQ("problem", FOUND("device-pasid", "verdict"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"),
			       "no PASID capability"));
	EXPECT_STREQ("ok", FOUND("device-ats", "verdict"));
	EXPECT_STREQ("not-applicable", FOUND("device-pri", "verdict"));
	EXPECT_STREQ("problem", FOUND("device-driver", "verdict"));
}

/* As an ordinary user, nothing behind the header is to be seen. */
TEST_F(doctor_vtd, doctor_user_sees_no_capability)
{
	self->visit = doctor_visit(TOOL_MEMBER, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_EQ(1, self->visit.status);
	EXPECT_STREQ("not-applicable", FOUND("device-pasid", "verdict"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "fix"), "root"));
}

TEST_F(doctor_vtd, doctor_pasid_on)
{
	endpoint(&self->config, true);
	put16(&self->config, PASID + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE);
	put16(&self->config, ATS + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	/* it is found without being named */
	self->visit = doctor_visit(TOOL_ROOT, "");
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_STREQ("ok", FOUND("device-pasid", "verdict"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"), "20 bits"));
	EXPECT_STREQ("ok", FOUND("device-ats", "verdict"));
	EXPECT_STREQ("ok", FOUND("device-pri", "verdict"));
	/* its driver is no friend of /dev/sva; others work */
	EXPECT_STREQ("problem", FOUND("device-driver", "verdict"));
	EXPECT_EQ(0, self->visit.status);
}

TEST_F(doctor_vtd, doctor_ats_off)
{
	endpoint(&self->config, true);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_STREQ("problem", FOUND("device-ats", "verdict"));
}

TEST_F(doctor_vtd, doctor_pasid_off_prefix)
{
	endpoint(&self->config, false);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_STREQ("problem", FOUND("device-pasid", "verdict"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"),
			       DEVICE " cannot forward"));
}

TEST_F(doctor_vtd, doctor_pasid_off_prefix_of_port)
{
	endpoint(&self->config, true);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	port(&self->config, false, true);
	ASSERT_EQ(0, tool_fake(self->port, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"), "cannot forward"));
	EXPECT_EQ(NULL, strstr(FOUND("device-pasid", "text"), DEVICE));
}

TEST_F(doctor_vtd, doctor_pasid_off_acs)
{
	endpoint(&self->config, true);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	port(&self->config, true, false);
	ASSERT_EQ(0, tool_fake(self->port, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"), "no ACS"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "fix"), "ACS"));
}

/* Nothing on the path is in the way: the IOMMU has not enabled it. */
TEST_F(doctor_vtd, doctor_pasid_off)
{
	endpoint(&self->config, true);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	port(&self->config, true, true);
	ASSERT_EQ(0, tool_fake(self->port, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_STREQ("problem", FOUND("device-pasid", "verdict"));
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"), "dmar0 did not"));
}

/* Capability lists that go round or nowhere end. */
TEST_F(doctor_vtd, doctor_bad_config_space)
{
	endpoint(&self->config, true);
	put16(&self->config, 0x40, 0x4000 | PCI_CAP_ID_MSI);
	capability(&self->config, ATS, PCI_EXT_CAP_ID_ERR, ATS);
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	ASSERT_NE(NULL, self->visit.json);
	EXPECT_NE(NULL, strstr(FOUND("device-pasid", "text"),
			       "no PASID capability"));
	doctor_end(&self->visit);

	memset(&self->config, 0xff, sizeof(self->config));
	ASSERT_EQ(0, tool_fake(CONFIG, &self->config, sizeof(self->config)));
	self->visit = doctor_visit(TOOL_ROOT, DEVICE);
	EXPECT_NE(NULL, self->visit.json);
}

TEST_HARNESS_MAIN
