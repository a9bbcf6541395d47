// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another process gets the context over a socket. What it can do with it, and
 * what it cannot: a process PASID is of use only to the process that made it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

#define SHARED_SIZE	((size_t)1 << 20)
#define OWN_SIZE	((size_t)4 << 20)
#define PATTERN		0x2179626420616d44ull

/* After the context: what the child shall fill, and with what. */
struct order {
	uint32_t pasid;
	uint64_t iova;
	uint64_t length;
	uint64_t pattern;
};

/* What came of it: errors are as the library returned them. */
struct answer {
	int recv;
	int foreign;
	int own;
	int shared;
	uint32_t own_number;
	uint32_t shared_number;
	uint32_t crc_engine;
	uint32_t crc_cpu;
	uint64_t failed;
	uint64_t page_requests;
};

/* An error in the completion record, as an errno. */
static int run(struct sva_sim *sim, const struct sva_sim_desc *desc,
	       struct sva_sim_completion *done)
{
	int err = sva_sim_run(sim, desc, done);

	if (!err && done->status != SVA_SIM_STATUS_OK)
		err = -EIO;
	return err;
}

static int use_own_memory(struct sva *sva, struct sva_sim *sim,
			  struct answer *answer)
{
	struct sva_sim_completion done;
	struct sva_sim_desc desc;
	uint32_t pasid;
	char *own;
	int err;

	own = malloc(OWN_SIZE);
	if (!own)
		return -ENOMEM;
	memset(own, 'c', OWN_SIZE);
	err = sva_pasid_alloc_process(sva, &pasid);
	if (err)
		goto out;
	err = sva_sim_attach(sim, sva, pasid, &answer->own_number);
	if (err)
		goto out_free;
	desc = (struct sva_sim_desc){
		.op = SVA_SIM_OP_CRC32C,
		.src = (uintptr_t)own,
		.len = OWN_SIZE,
	};
	err = run(sim, &desc, &done);
	answer->crc_engine = done.result;
	answer->crc_cpu = crc32c(own, OWN_SIZE);
	sva_sim_detach(sim);
out_free:
	sva_pasid_free(sva, pasid);
out:
	free(own);
	return err;
}

/*
 * Fills memory that this process does not have: it is the parent's, and mapped
 * into an address space that they share. Detaching waits for the engine.
 */
static int use_shared_memory(struct sva *sva, struct sva_sim *sim,
			     const struct order *order, struct answer *answer)
{
	struct sva_sim_desc desc = {
		.op = SVA_SIM_OP_FILL,
		.src = order->pattern,
		.dst = order->iova,
		.len = order->length,
	};
	int err, n;

	err = sva_sim_attach(sim, sva, order->pasid, &answer->shared_number);
	if (err)
		return err;
	n = sva_sim_submit(sim, &desc, 1);
	err = sva_sim_detach(sim);
	return n < 0 ? n : err;
}

static void child_work(struct sva *sva, uint32_t foreign, const char *device,
		       const struct order *order, struct answer *answer)
{
	struct sva_sim_info info = { 0 };
	struct sva_sim *sim;
	int err;

	err = sva_sim_open(&sim, device, 0);
	if (err) {
		answer->own = err;
		answer->shared = err;
		return;
	}
	answer->foreign = sva_sim_attach(sim, sva, foreign, NULL);
	if (!answer->foreign)
		sva_sim_detach(sim);
	answer->own = use_own_memory(sva, sim, answer);
	answer->shared = use_shared_memory(sva, sim, order, answer);
	sva_sim_info(sim, &info, sizeof(info));
	answer->failed = info.failed;
	answer->page_requests = info.page_requests;
	sva_sim_close(sim);
}

static int child_main(int sock)
{
	struct answer answer = { 0 };
	char device[256] = "";
	struct order order;
	struct sva *sva;
	uint32_t pasid;

	answer.recv = sva_recv(&sva, sock, &pasid);
	/* The parent gave up before it came to this. */
	if (answer.recv == -EPIPE)
		return 0;
	if (!answer.recv) {
		if (recv(sock, &order, sizeof(order), 0) != sizeof(order) ||
		    recv(sock, device, sizeof(device) - 1, 0) <= 0)
			return 1;
		child_work(sva, pasid, device, &order, &answer);
		sva_close(sva);
	}
	if (send(sock, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
		return 1;
	return 0;
}

int child_start(struct demo *demo)
{
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock)) {
		complain("socketpair: %s", strerror(errno));
		return -1;
	}
	demo->child = fork();
	if (demo->child < 0) {
		complain("fork: %s", strerror(errno));
		close(sock[0]);
		close(sock[1]);
		return -1;
	}
	if (!demo->child) {
		close(sock[0]);
		_exit(child_main(sock[1]));
	}
	close(sock[1]);
	demo->child_sock = sock[0];
	return 0;
}

int child_end(struct demo *demo)
{
	int status;

	if (demo->child <= 0)
		return 0;
	close(demo->child_sock);
	if (waitpid(demo->child, &status, 0) < 0 || status) {
		complain("the child did not end well");
		return -1;
	}
	return 0;
}

/* A memfd that devices reach at order->iova under order->pasid. */
struct shared {
	uint64_t *map;
	uint32_t as;
};

static int shared_pasid(struct demo *demo, const struct shared *shared,
			struct order *order)
{
	const struct engine *engine = &demo->engine[demo->engines - 1];
	int err;

	err = sva_pasid_alloc_max(demo->sva, engine->pasid_max, &order->pasid);
	if (err) {
		complain("PASID: %s", sva_strerror(SVA_CALL_PASID_ALLOC, err));
		return -1;
	}
	err = sva_pasid_bind(demo->sva, order->pasid, shared->as);
	if (err) {
		complain("bind: %s", sva_strerror(SVA_CALL_PASID_BIND, err));
		sva_pasid_free(demo->sva, order->pasid);
		return -1;
	}
	return 0;
}

static int shared_map(struct demo *demo, int fd, struct shared *shared,
		      struct order *order)
{
	int err;

	shared->map = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	if (shared->map == MAP_FAILED) {
		complain("mmap: %s", strerror(errno));
		return -1;
	}
	err = sva_as_alloc_iova(demo->sva, 0, &shared->as);
	if (err) {
		complain("address space: %s",
			 sva_strerror(SVA_CALL_AS_ALLOC, err));
		goto out_unmap;
	}
	err = sva_iova_map_file(demo->sva, shared->as, fd, 0, SHARED_SIZE,
				SVA_IOVA_F_READ | SVA_IOVA_F_WRITE,
				&order->iova);
	if (err) {
		complain("map: %s", sva_strerror(SVA_CALL_IOVA_MAP_FILE, err));
		goto out_destroy;
	}
	if (shared_pasid(demo, shared, order))
		goto out_destroy;
	order->length = SHARED_SIZE;
	order->pattern = PATTERN;
	return 0;

out_destroy:
	sva_as_destroy(demo->sva, shared->as);
out_unmap:
	munmap(shared->map, SHARED_SIZE);
	return -1;
}

static int shared_make(struct demo *demo, struct shared *shared,
		       struct order *order)
{
	int fd, err;

	fd = memfd_create("sva-demo", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)SHARED_SIZE)) {
		complain("memfd: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	err = shared_map(demo, fd, shared, order);
	close(fd);
	return err;
}

static bool shared_end(struct demo *demo, struct shared *shared,
		       const struct order *order)
{
	int err;

	err = sva_pasid_free(demo->sva, order->pasid);
	if (err)
		complain("free: %s", sva_strerror(SVA_CALL_PASID_FREE, err));
	else
		err = sva_as_destroy(demo->sva, shared->as);
	munmap(shared->map, SHARED_SIZE);
	return !err;
}

static bool is_filled(const struct shared *shared)
{
	size_t i;

	for (i = 0; i < SHARED_SIZE / sizeof(*shared->map); i++) {
		if (shared->map[i] != PATTERN) {
			complain("the child's engine did not fill the memory at %zu",
				 i * sizeof(*shared->map));
			return false;
		}
	}
	return true;
}

static bool talk(struct demo *demo, const struct order *order,
		 struct answer *answer)
{
	const char *device = demo->engine[demo->engines - 1].path;
	int sock = demo->child_sock;
	int err;

	err = sva_send(demo->sva, sock, demo->process);
	if (err) {
		complain("send: %s", sva_strerror(SVA_CALL_SEND, err));
		return false;
	}
	if (send(sock, order, sizeof(*order), MSG_NOSIGNAL) < 0 ||
	    send(sock, device, strlen(device), MSG_NOSIGNAL) < 0 ||
	    recv(sock, answer, sizeof(*answer), 0) != sizeof(*answer)) {
		complain("the child does not answer");
		return false;
	}
	return true;
}

static bool judge(const struct demo *demo, const struct answer *answer)
{
	if (answer->recv) {
		complain("child, receive: %s",
			 sva_strerror(SVA_CALL_RECV, answer->recv));
		return false;
	}
	if (answer->foreign != -EPERM) {
		complain("the child's attach of its parent's process PASID gave %d, not -EPERM",
			 answer->foreign);
		return false;
	}
	say("  attaching its parent's process PASID is refused to it (EPERM)");
	if (answer->own || answer->crc_engine != answer->crc_cpu) {
		complain("child, own memory: %s",
			 answer->own ? sva_strerror(SVA_CALL_ATTACH, answer->own) :
				       "the engine's CRC-32C differs from the CPU's");
		return false;
	}
	if (answer->own_number == demo->engine[0].number) {
		complain("two processes have the same PASID");
		return false;
	}
	say("  a process PASID of its own is %u: CRC-32C %08x by the engine, %08x by the CPU",
	    answer->own_number, answer->crc_engine, answer->crc_cpu);
	if (answer->shared || answer->failed) {
		complain("child, shared memory: %s",
			 sva_strerror(SVA_CALL_ATTACH,
				      answer->shared ? answer->shared : -EIO));
		return false;
	}
	return true;
}

bool demo_child(struct demo *demo, struct step *step)
{
	struct order order = { 0 };
	struct answer answer = { 0 };
	struct shared shared;
	char size[32];
	bool ok;

	step->name = "child";
	say("\nAnother process gets the context over a socket (SCM_RIGHTS)");
	if (shared_make(demo, &shared, &order))
		return false;
	ok = talk(demo, &order, &answer) && judge(demo, &answer) &&
	     is_filled(&shared);
	if (ok)
		say("  under PASID %u its engine filled %s of memory that only its parent has",
		    answer.shared_number,
		    out_size(size, sizeof(size), SHARED_SIZE));
	step->bytes = OWN_SIZE + SHARED_SIZE;
	step->page_requests = answer.page_requests;
	return shared_end(demo, &shared, &order) && ok;
}
