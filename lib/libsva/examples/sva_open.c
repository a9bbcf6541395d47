// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva *sva;
	int err;

	err = sva_open(&sva, 0);
	if (err) {
		fprintf(stderr, "/dev/sva: %s\n",
			sva_strerror(SVA_CALL_OPEN, err));
		return 1;
	}
	printf("a context, by descriptor %d\n", sva_fd(sva));
	sva_close(sva);
	return 0;
}
