// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sva/sim.h>
#include <sva/sva.h>

static int client(int sock)
{
	struct sva_sim *sim;
	int err, fd;

	if (sva_pasid_fd_recv(&fd, sock) ||
	    sva_sim_open(&sim, "/dev/sva_sim0", 0))
		return 1;
	/* It needs neither the context nor the PASID's number. */
	if (sva_sim_attach_fd(sim, fd, NULL) || sva_sim_detach(sim))
		return 1;
	if (write(sock, "", 1) != 1)
		return 1;

	/* Wait until the right has been taken back. */
	if (read(sock, &err, 1) != 1)
		return 1;
	err = sva_sim_attach_fd(sim, fd, NULL);
	printf("attach: %s\n", sva_strerror(SVA_CALL_ATTACH, err));
	fflush(stdout);
	close(fd);
	sva_sim_close(sim);
	return err == -ESTALE ? 0 : 1;
}

int main(void)
{
	int sock[2], fd, status;
	uint32_t pasid, id;
	struct sva *sva;
	pid_t child;
	char done;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock))
		return 1;
	fflush(stdout);
	child = fork();
	if (child < 0)
		return 1;
	if (!child) {
		close(sock[0]);
		_exit(client(sock[1]));
	}
	close(sock[1]);

	if (sva_open(&sva, 0) || sva_pasid_alloc(sva, &pasid) ||
	    sva_pasid_fd(sva, pasid, &fd, &id) || sva_pasid_fd_send(fd, sock[0]))
		return 1;
	close(fd);
	if (read(sock[0], &done, 1) != 1 || sva_pasid_fd_revoke(sva, id) ||
	    write(sock[0], "", 1) != 1)
		return 1;
	if (waitpid(child, &status, 0) != child)
		return 1;
	close(sock[0]);
	sva_close(sva);
	return status ? 1 : 0;
}
