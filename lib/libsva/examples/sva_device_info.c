// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sva/sva.h>

int main(void)
{
	struct sva_device_info info;
	uint32_t dev, type, len;
	struct sva *sva;
	void *data;
	int err;

	if (sva_open(&sva, 0))
		return 1;
	for (dev = 0; ; dev = info.dev_id + 1) {
		err = sva_device_next(sva, dev, &info, sizeof(info));
		if (err)
			break;
		printf("%s behind %s: PASIDs of %u bits%s\n", info.name,
		       info.iommu, info.pasid_bits,
		       info.caps & SVA_DEVICE_CAP_NESTED ? ", nests" : "");

		/* What the IOMMU's driver tells, however much it is. */
		len = info.data_len;
		data = len ? malloc(len) : NULL;
		if (data && !sva_device_hw_info(sva, info.dev_id, &type, data,
						&len))
			printf("  and %u bytes of type %u\n", len, type);
		free(data);
	}
	if (err != -ENOENT)
		fprintf(stderr, "%s\n", sva_strerror(SVA_CALL_DEVICE_INFO, err));
	sva_close(sva);
	return err == -ENOENT ? 0 : 1;
}
