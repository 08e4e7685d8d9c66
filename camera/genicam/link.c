#include "link.h"

#include <netinet/in.h>
#include <sys/socket.h>

void coil_room(ArvStream *stream, int bytes)
{
	in_port_t port = htons(arv_gv_stream_get_port(ARV_GV_STREAM(stream)));

	// Aravis tells the port alone; the process has one UDP socket of it.
	for (int fd = 0; fd < 65536; fd++) {
		struct sockaddr_in a;
		socklen_t n = sizeof a;
		int type;
		socklen_t m = sizeof type;

		if (getsockname(fd, (struct sockaddr *)&a, &n) != 0 || a.sin_family != AF_INET || a.sin_port != port ||
		    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) != 0 || type != SOCK_DGRAM)
			continue;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
		return;
	}
}

static guint64 info(ArvStream *s, const char *name)
{
	return arv_stream_get_info_uint64_by_name(s, name);
}

// useful is how many packets were put into frames.
static guint64 useful(ArvStream *s)
{
	return info(s, "n_received_packets") - info(s, "n_ignored_packets") - info(s, "n_duplicated_packets") -
	       info(s, "n_error_packets");
}

void coil_callback(void *data, ArvStreamCallbackType type, ArvBuffer *buffer)
{
	coil_link *l = data;
	ArvStream *s = g_atomic_pointer_get(&l->stream);

	if (s == NULL)
		return;
	switch (type) {
	case ARV_STREAM_CALLBACK_TYPE_START_BUFFER:
		// Aravis has counted the packet that begins the frame, and has not put it there yet.
		l->starts[l->started % LINK_RING] = useful(s) - 1;
		l->started++;
		break;
	case ARV_STREAM_CALLBACK_TYPE_BUFFER_DONE: {
		guint64 k = l->done;
		guint64 end = l->started > k + 1 ? l->starts[(k + 1) % LINK_RING] : useful(s);

		l->received[k % LINK_RING] = (gint64)(end - l->starts[k % LINK_RING]);
		__atomic_store_n(&l->done, k + 1, __ATOMIC_RELEASE);
		break;
	}
	default:
		break;
	}
}

enum { LONGEST_TELLING = 10000 }; // ms; a handler takes microseconds, and whoever holds the device longer ends it himself

static void control_lost(ArvDevice *device, gpointer link)
{
	(void)device;
	g_atomic_int_set(&((coil_link *)link)->control_lost, 1);
}

static void unwatched(gpointer link, GClosure *closure)
{
	(void)closure;
	g_atomic_int_set(&((coil_link *)link)->unwatched, 1);
}

gulong coil_watch(ArvDevice *device, coil_link *link)
{
	return g_signal_connect_data(device, "control-lost", G_CALLBACK(control_lost), link, unwatched, 0);
}

// Aravis tells of a lost control from the thread of the heartbeat, and while it tells a handler that thread holds the device. Were
// its hold the last, the thread would end the device, which waits for the thread's own end, and GLib would end the process. Without
// a handler telling holds nothing: once the last telling is over, ours is the last hold.
void coil_give_up(ArvDevice *device, gulong handler, coil_link *link)
{
	g_signal_handler_disconnect(device, handler);
	for (int ms = 0; ms < LONGEST_TELLING; ms++) {
		if (g_atomic_int_get(&link->unwatched) && g_atomic_int_get((gint *)&G_OBJECT(device)->ref_count) == 1)
			break;
		g_usleep(1000);
	}
	g_object_unref(device);
}

ArvBuffer *coil_pop(coil_link *l, guint64 timeout, gint64 *packets)
{
	ArvBuffer *b = arv_stream_timeout_pop_buffer(l->stream, timeout);

	*packets = -1;
	if (b == NULL || !ARV_IS_GV_STREAM(l->stream))
		return b;
	// Aravis hands the buffer over a moment before it calls back.
	for (int i = 0; i < 100000 && __atomic_load_n(&l->done, __ATOMIC_ACQUIRE) <= l->popped; i++)
		g_thread_yield();
	*packets = l->received[l->popped % LINK_RING];
	l->popped++;
	return b;
}

gboolean coil_chunk(ArvChunkParser *parser, ArvBuffer *buffer, const char *name, gint64 *value)
{
	GError *e = NULL;

	if (!arv_buffer_has_chunks(buffer))
		return FALSE;
	*value = arv_chunk_parser_get_integer_value(parser, buffer, name, &e);
	if (e == NULL)
		return TRUE;
	g_error_free(e);
	return FALSE;
}

coil_counts coil_count(coil_link *l)
{
	coil_counts c = {0};

	arv_stream_get_statistics(l->stream, NULL, NULL, &c.no_buffer);
	if (ARV_IS_GV_STREAM(l->stream)) {
		c.received = info(l->stream, "n_received_packets");
		c.resent = info(l->stream, "n_resent_packets");
	}
	return c;
}

int coil_kind(ArvGcNode *n)
{
	if (ARV_IS_GC_CATEGORY(n)) return KIND_CATEGORY;
	if (ARV_IS_GC_ENUMERATION(n)) return KIND_ENUM;
	if (ARV_IS_GC_BOOLEAN(n)) return KIND_BOOL;
	if (ARV_IS_GC_COMMAND(n)) return KIND_COMMAND;
	if (ARV_IS_GC_INTEGER(n)) return KIND_INT;
	if (ARV_IS_GC_FLOAT(n)) return KIND_FLOAT;
	if (ARV_IS_GC_STRING(n)) return KIND_STRING;
	return KIND_OTHER;
}
