// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sva/sva.h>

#define SIZE 65536

int main(void)
{
	uint64_t iova, fixed = 0x40000000;
	struct sva *sva;
	uint32_t as;
	void *memory;
	int fd, err;

	if (sva_open(&sva, 0) || sva_as_alloc_iova(sva, 0, &as))
		return 1;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = memfd_create("example", MFD_CLOEXEC);
	if (memory == MAP_FAILED || fd < 0 || ftruncate(fd, SIZE))
		return 1;

	/* memory of this process, where the kernel finds room */
	err = sva_iova_map(sva, as, memory, SIZE,
			   SVA_IOVA_F_READ | SVA_IOVA_F_WRITE, &iova);
	/* memory that is mapped nowhere, at a given place, read-only */
	if (!err)
		err = sva_iova_map_file(sva, as, fd, 0, SIZE,
					SVA_IOVA_F_READ | SVA_IOVA_F_FIXED,
					&fixed);
	if (err)
		fprintf(stderr, "map: %s\n",
			sva_strerror(SVA_CALL_IOVA_MAP, err));
	else
		printf("devices see them at %#llx and %#llx\n",
		       (unsigned long long)iova, (unsigned long long)fixed);
	close(fd);
	sva_close(sva);
	munmap(memory, SIZE);
	return err ? 1 : 0;
}
