/* SPDX-License-Identifier: GPL-2.0-only */
/* What a PCI device's configuration space says about PASIDs. */
#ifndef SVA_TOOL_PCI_H
#define SVA_TOOL_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE	4096

/**
 * struct pci_config - a configuration space, as far as it can be read
 * @bytes: Its bytes
 * @len: How many there are: 64 without privileges, 256 for a device that is not
 *       PCI Express or is reached the old way, else 4096
 */
struct pci_config {
	uint8_t bytes[PCI_CONFIG_SIZE];
	size_t len;
};

/**
 * struct pci_state - what decides whether a device can put PASIDs on its DMA
 * @header_only: Nothing else is known: the caller may not read the rest
 * @has_pasid: It has the PASID capability
 * @pasid_on: The kernel has enabled it
 * @pasid_bits: Width of its PASIDs
 * @has_ats: It has the ATS capability
 * @ats_on: The kernel has enabled it
 * @has_pri: It has the page request capability
 * @pri_on: The kernel has enabled it
 * @no_prefix: Address of the function on the path to the CPU that cannot forward
 *             requests with a PASID, or ""
 * @no_acs: Address of the bridge that may turn requests round instead of
 *          sending them up to the IOMMU, or ""
 */
struct pci_state {
	bool header_only;
	bool has_pasid;
	bool pasid_on;
	unsigned int pasid_bits;
	bool has_ats;
	bool ats_on;
	bool has_pri;
	bool pri_on;
	char no_prefix[16];
	char no_acs[16];
};

int pci_read_config(const char *dir, struct pci_config *config);
unsigned int pci_capability(const struct pci_config *config, uint8_t id);
unsigned int pci_ext_capability(const struct pci_config *config, uint16_t id);
int pci_read_state(const char *syspath, struct pci_state *state);

#endif /* SVA_TOOL_PCI_H */
