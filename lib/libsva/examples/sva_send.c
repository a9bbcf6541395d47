// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sva/sva.h>

static int receiver(int sock)
{
	struct sva_pasid_info info;
	struct sva *sva;
	uint32_t pasid;
	int err;

	err = sva_recv(&sva, sock, &pasid);
	if (!err)
		err = sva_pasid_info(sva, pasid, &info, sizeof(info));
	if (err)
		return 1;
	printf("received PASID %u, used by %u devices\n", info.number,
	       info.bonds);
	sva_close(sva);
	return 0;
}

int main(void)
{
	int sock[2], status;
	struct sva *sva;
	uint32_t pasid;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return 1;
	fflush(stdout);
	child = fork();
	if (child < 0)
		return 1;
	if (!child) {
		close(sock[0]);
		status = receiver(sock[1]);
		fflush(stdout);
		_exit(status);
	}
	close(sock[1]);

	if (sva_open(&sva, 0) || sva_pasid_alloc(sva, &pasid) ||
	    sva_send(sva, sock[0], pasid))
		return 1;
	if (waitpid(child, &status, 0) != child)
		return 1;
	close(sock[0]);
	sva_close(sva);
	return status ? 1 : 0;
}
