// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	/* The same errno is not the same thing everywhere. */
	printf("map: %s\n", sva_strerror(SVA_CALL_IOVA_MAP, -EDQUOT));
	printf("attach: %s\n", sva_strerror(SVA_CALL_ATTACH, -EPERM));
	printf("map file: %s\n", sva_strerror(SVA_CALL_IOVA_MAP_FILE, -EPERM));
	return 0;
}
