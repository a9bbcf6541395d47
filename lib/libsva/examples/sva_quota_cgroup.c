// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>

#include <sva/sva.h>

int main(void)
{
	struct sva_quota quota;
	struct sva *sva;

	if (sva_open(&sva, 0) ||
	    sva_quota_cgroup(sva, -1, &quota, sizeof(quota)))
		return 1;
	printf("this cgroup has %u PASIDs", quota.used);
	if (quota.left != SVA_QUOTA_NO_LIMIT)
		printf(" and can get %u more", quota.left);
	puts("");
	sva_close(sva);
	return 0;
}
