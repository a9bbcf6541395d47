// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a PCI device's configuration space says about PASIDs: its capabilities,
 * whether the kernel has enabled them, and what on the path to the CPU keeps it
 * from doing so. Only root sees more than the first 64 bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

/* A space of 4096 bytes has no more capabilities, of 8 bytes at least. */
#define EXT_CAPS_MAX	480
#define CAPS_MAX	48

/* End-End TLP Prefix Supported (PCIe 6.0, 7.5.3.15) */
#define DEVCAP2_PREFIX	(1u << 21)

static uint16_t get16(const struct pci_config *config, unsigned int at)
{
	if (at + 2 > config->len)
		return 0;
	return (uint16_t)(config->bytes[at] | config->bytes[at + 1] << 8);
}

static uint32_t get32(const struct pci_config *config, unsigned int at)
{
	return get16(config, at) | (uint32_t)get16(config, at + 2) << 16;
}

/**
 * pci_read_config() - read a configuration space
 * @dir: The device's directory in sysfs
 * @config: Out
 *
 * Return: 0 or a negative errno.
 */
int pci_read_config(const char *dir, struct pci_config *config)
{
	char path[PATH_MAX];
	ssize_t n = 0;
	int fd;

	config->len = 0;
	if (snprintf(path, sizeof(path), "%s/config", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		config->len += (size_t)n;
		n = read(fd, config->bytes + config->len,
			 sizeof(config->bytes) - config->len);
	} while (n > 0);
	close(fd);
	return n < 0 ? -EIO : 0;
}

/**
 * pci_capability() - find a capability
 * @config: The space
 * @id: PCI_CAP_ID_*
 *
 * Return: where it begins, or 0.
 */
unsigned int pci_capability(const struct pci_config *config, uint8_t id)
{
	unsigned int at, seen;

	if (!(get16(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = get16(config, PCI_CAPABILITY_LIST) & 0xfc;
	for (seen = 0; at >= PCI_STD_HEADER_SIZEOF && seen < CAPS_MAX; seen++) {
		uint16_t header = get16(config, at);

		if ((header & 0xff) == id)
			return at;
		at = header >> 8 & 0xfc;
	}
	return 0;
}

/**
 * pci_ext_capability() - find an extended capability
 * @config: The space
 * @id: PCI_EXT_CAP_ID_*
 *
 * Return: where it begins, or 0.
 */
unsigned int pci_ext_capability(const struct pci_config *config, uint16_t id)
{
	unsigned int at = PCI_CFG_SPACE_SIZE, seen;

	for (seen = 0; at >= PCI_CFG_SPACE_SIZE && seen < EXT_CAPS_MAX; seen++) {
		uint32_t header = get32(config, at);

		if (!header || header == ~0u)
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

static unsigned int express_type(const struct pci_config *config,
				 unsigned int express)
{
	return (get16(config, express + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
}

static bool forwards_prefixes(const struct pci_config *config)
{
	unsigned int express = pci_capability(config, PCI_CAP_ID_EXP);

	return express &&
	       get32(config, express + PCI_EXP_DEVCAP2) & DEVCAP2_PREFIX;
}

/*
 * Ports that look down must redirect peer-to-peer requests up; others have
 * nothing to turn round.
 */
static bool sends_up(const struct pci_config *config)
{
	unsigned int express = pci_capability(config, PCI_CAP_ID_EXP);
	unsigned int acs, type;
	const uint16_t need = PCI_ACS_RR | PCI_ACS_UF;

	if (!express)
		return false;
	type = express_type(config, express);
	if (type != PCI_EXP_TYPE_ROOT_PORT && type != PCI_EXP_TYPE_DOWNSTREAM)
		return true;
	acs = pci_ext_capability(config, PCI_EXT_CAP_ID_ACS);
	return acs && (get16(config, acs + PCI_ACS_CTRL) & need) == need;
}

/* Whether the last part of a path is the address of a function: 0000:00:1f.2 */
static const char *function_address(const char *path)
{
	const char *name = strrchr(path, '/');
	unsigned int domain, bus, device, function;
	int end = 0;

	if (!name || sscanf(name + 1, "%x:%2x:%2x.%1x%n", &domain, &bus, &device,
			    &function, &end) != 4 || name[1 + end])
		return NULL;
	return name + 1;
}

/* Looks at the function itself and at all bridges above it. */
static void look_at_path(const char *syspath, struct pci_state *state)
{
	struct pci_config config;
	char path[PATH_MAX];
	const char *name;
	bool bridge = false;

	if (!realpath(syspath, path))
		return;
	for (; (name = function_address(path)); bridge = true) {
		if (pci_read_config(path, &config))
			return;
		if (!*state->no_prefix && !forwards_prefixes(&config))
			snprintf(state->no_prefix, sizeof(state->no_prefix), "%s",
				 name);
		if (bridge && !*state->no_acs && !sends_up(&config))
			snprintf(state->no_acs, sizeof(state->no_acs), "%s", name);
		*strrchr(path, '/') = '\0';
	}
}

/* PASIDs and page requests of virtual functions are their physical one's. */
static void look_at_physical(const struct pci_config *config,
			     struct pci_state *state)
{
	unsigned int pasid = pci_ext_capability(config, PCI_EXT_CAP_ID_PASID);
	unsigned int pri = pci_ext_capability(config, PCI_EXT_CAP_ID_PRI);

	state->has_pasid = pasid;
	if (pasid) {
		state->pasid_on = get16(config, pasid + PCI_PASID_CTRL) &
				  PCI_PASID_CTRL_ENABLE;
		state->pasid_bits = get16(config, pasid + PCI_PASID_CAP) >> 8 &
				    0x1f;
	}
	state->has_pri = pri;
	if (pri)
		state->pri_on = get16(config, pri + PCI_PRI_CTRL) &
				PCI_PRI_CTRL_ENABLE;
}

/**
 * pci_read_state() - what decides whether a device can put PASIDs on its DMA
 * @syspath: The device's directory in sysfs
 * @state: Out
 *
 * Return: 0 or a negative errno.
 */
int pci_read_state(const char *syspath, struct pci_state *state)
{
	struct pci_config config;
	char physical[PATH_MAX];
	const char *owner = syspath;
	unsigned int ats;
	int err;

	memset(state, 0, sizeof(*state));
	err = pci_read_config(syspath, &config);
	if (err)
		return err;
	state->header_only = config.len <= PCI_STD_HEADER_SIZEOF;
	if (state->header_only)
		return 0;

	ats = pci_ext_capability(&config, PCI_EXT_CAP_ID_ATS);
	state->has_ats = ats;
	if (ats)
		state->ats_on = get16(&config, ats + PCI_ATS_CTRL) &
				PCI_ATS_CTRL_ENABLE;
	snprintf(physical, sizeof(physical), "%s/physfn", syspath);
	if (!access(physical, F_OK)) {
		owner = physical;
		err = pci_read_config(owner, &config);
		if (err)
			return err;
	}
	look_at_physical(&config, state);
	look_at_path(owner, state);
	return 0;
}
