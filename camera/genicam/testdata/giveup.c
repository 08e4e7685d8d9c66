// Gives devices up while another thread tells of lost control, as Aravis's heartbeat does, and says in how many rounds that thread
// ended the device: there it would wait for its own end. With an argument devices are given up without care.
#include "../link.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 500 };

typedef struct {
	ArvDevice *device;
	GThread *thread;
	gint stop, told;
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

static int ended_by_itself;

// The device ends: a heartbeat is waited for, as in Aravis.
static void ends(gpointer data, GObject *device)
{
	beat *b = data;

	(void)device;
	g_atomic_int_set(&b->stop, 1);
	if (g_thread_self() == b->thread)
		ended_by_itself++;
	else
		g_thread_join(b->thread);
}

int main(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; i < ROUNDS; i++) {
		beat b = {arv_fake_device_new("TEST", NULL), NULL, 0, 0};
		coil_link *l = calloc(1, sizeof *l);
		gulong handler = coil_watch(b.device, l);
		int before = ended_by_itself;

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
		if (ended_by_itself > before) // it goes on behind the end, until it sees that it is to stop
			g_thread_join(b.thread);
		if (argc == 1) // without care the link may still be told
			free(l);
	}
	printf("%d of %d\n", ended_by_itself, ROUNDS);
	return 0;
}
