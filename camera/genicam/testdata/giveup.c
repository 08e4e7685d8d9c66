// Gives devices up while another thread tells of lost control, as Aravis's heartbeat does, and says in how many rounds that thread
// ended the device: there it would wait for its own end. With an argument devices are given up without care.
#include "../link.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 500 };
enum { BY_HEARTBEAT = 1, BY_US };

typedef struct {
	ArvDevice *device;
	GThread *thread;
	gint stop, told;
	gint ended; // BY_HEARTBEAT or BY_US once the device is no more
} beat;

static void *heartbeat(void *data)
{
	beat *b = data;

	while (!g_atomic_int_get(&b->stop)) {
		g_signal_emit_by_name(b->device, "control-lost");
		g_atomic_int_inc(&b->told);
	}
	return NULL;
}

// The device ends: a heartbeat is waited for, as in Aravis.
static void ends(gpointer data, GObject *device)
{
	beat *b = data;

	(void)device;
	g_atomic_int_set(&b->stop, 1);
	if (g_thread_self() == b->thread) {
		g_atomic_int_set(&b->ended, BY_HEARTBEAT);
		return;
	}
	g_thread_join(b->thread);
	g_atomic_int_set(&b->ended, BY_US);
}

int main(int argc, char **argv)
{
	int ended_by_heartbeat = 0;

	(void)argv;
	for (int i = 0; i < ROUNDS; i++) {
		beat b = {arv_fake_device_new("TEST", NULL), NULL, 0, 0, 0};
		coil_link *l = calloc(1, sizeof *l);
		gulong handler = coil_watch(b.device, l);

		g_object_weak_ref(G_OBJECT(b.device), ends, &b);
		b.thread = g_thread_new("heartbeat", heartbeat, &b);
		while (g_atomic_int_get(&b.told) < 10 + i % 50)
			;
		if (argc > 1) {
			g_signal_handler_disconnect(b.device, handler);
			g_object_unref(b.device);
		} else {
			coil_give_up(b.device, handler, l);
		}
		while (g_atomic_int_get(&b.ended) == 0) // the heartbeat may hold the device still, and ends it later
			g_usleep(10);
		if (b.ended == BY_HEARTBEAT) {
			ended_by_heartbeat++;
			g_thread_join(b.thread);
		}
		if (argc == 1) // without care the link may still be told
			free(l);
	}
	printf("%d of %d\n", ended_by_heartbeat, ROUNDS);
	return 0;
}
