package genicam

/*
#cgo pkg-config: aravis-0.8
#cgo noescape coil_pop
#cgo nocallback coil_pop
#cgo noescape coil_chunk
#cgo nocallback coil_chunk
#cgo noescape arv_buffer_get_data
#cgo nocallback arv_buffer_get_data
#include <stdlib.h>
#include "link.h"

static ArvStream *create_stream(ArvDevice *d, coil_link *l, GError **e)
{
	return arv_device_create_stream(d, coil_callback, l, e);
}
static void tune(ArvStream *s, gboolean resend)
{
	g_object_set(s, "packet-resend", resend ? ARV_GV_STREAM_PACKET_RESEND_ALWAYS : ARV_GV_STREAM_PACKET_RESEND_NEVER,
		"socket-buffer", ARV_GV_STREAM_SOCKET_BUFFER_FIXED, "socket-buffer-size", 0, NULL); // coil_room does it
}
static ArvBuffer *new_buffer(size_t size, void *data, guint index)
{
	return arv_buffer_new_full(size, data, GUINT_TO_POINTER(index), NULL);
}
static guint buffer_index(ArvBuffer *b) { return GPOINTER_TO_UINT(arv_buffer_get_user_data(b)); }
static ArvDevice *open_address(const guint8 *interface, const guint8 *address, GError **e)
{
	GInetAddress *i = g_inet_address_new_from_bytes(interface, G_SOCKET_FAMILY_IPV4);
	GInetAddress *a = g_inet_address_new_from_bytes(address, G_SOCKET_FAMILY_IPV4);
	ArvDevice *d = arv_gv_device_new(i, a, e);
	g_object_unref(i);
	g_object_unref(a);
	return d;
}
static gboolean is_gv(ArvDevice *d) { return ARV_IS_GV_DEVICE(d); }
static gboolean is_gv_stream(ArvStream *s) { return ARV_IS_GV_STREAM(s); }

static int is_feature(ArvGcNode *n) { return ARV_IS_GC_FEATURE_NODE(n); }
static const char *unit(ArvGcNode *n)
{
	if (ARV_IS_GC_FLOAT(n)) return arv_gc_float_get_unit(ARV_GC_FLOAT(n));
	if (ARV_IS_GC_INTEGER(n)) return arv_gc_integer_get_unit(ARV_GC_INTEGER(n));
	return NULL;
}
static const char *slist_string(const GSList *l) { return l->data; }
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"time"
	"unsafe"
)

// deviceList guards Aravis's list of devices, of which there is one a process, and the reading of their
// descriptions, whose kinds of documents Aravis keeps in one table: two cameras that were opened at once
// wrote to it at once, and one had no features.
var deviceList sync.Mutex

// enumerate asks all interfaces which devices are there; it takes a second.
func enumerate() []Device {
	deviceList.Lock()
	defer deviceList.Unlock()
	C.arv_update_device_list()
	n := C.arv_get_n_devices()
	list := make([]Device, 0, n)
	for i := range n {
		list = append(list, Device{
			ID: C.GoString(C.arv_get_device_id(i)), Vendor: C.GoString(C.arv_get_device_vendor(i)),
			Model: C.GoString(C.arv_get_device_model(i)), Serial: C.GoString(C.arv_get_device_serial_nbr(i)),
			Address: C.GoString(C.arv_get_device_address(i)), PhysicalID: C.GoString(C.arv_get_device_physical_id(i)),
			Protocol: C.GoString(C.arv_get_device_protocol(i)),
		})
	}
	return list
}

// taken turns a GError into a Go error and frees it.
func taken(e *C.GError) error {
	if e == nil {
		return nil
	}
	defer C.g_error_free(e)
	return errors.New(C.GoString((*C.char)(unsafe.Pointer(e.message))))
}

// handle is an open device. The caller must close it.
type handle struct {
	device *C.ArvDevice
	link   *C.coil_link
	signal C.gulong
}

// openAddress opens the GigE Vision camera at an address, by the interface with the local one.
func openAddress(local, remote netip.Addr) (*handle, error) {
	l, r := local.As4(), remote.As4()
	var e *C.GError
	deviceList.Lock()
	d := C.open_address((*C.guint8)(&l[0]), (*C.guint8)(&r[0]), &e)
	deviceList.Unlock()
	return newHandle(d, e)
}

// openID opens any device by Aravis's id.
func openID(id string) (*handle, error) {
	c := C.CString(id)
	defer C.free(unsafe.Pointer(c))
	var e *C.GError
	deviceList.Lock()
	d := C.arv_open_device(c, &e)
	deviceList.Unlock()
	return newHandle(d, e)
}

func newHandle(d *C.ArvDevice, e *C.GError) (*handle, error) {
	if err := taken(e); err != nil || d == nil {
		if d != nil {
			C.g_object_unref(C.gpointer(d))
		}
		if err == nil {
			err = errors.New("the device does not answer")
		}
		return nil, err
	}
	h := &handle{device: d, link: (*C.coil_link)(C.calloc(1, C.sizeof_coil_link))}
	h.signal = C.coil_watch(d, h.link)
	return h, nil
}

// close gives the device up. It may take seconds where the device does not answer.
func (h *handle) close() {
	C.coil_give_up(h.device, h.signal, h.link)
	C.free(unsafe.Pointer(h.link))
}

func (h *handle) gigE() bool { return C.is_gv(h.device) != 0 }

// controls tells whether the device takes orders from us; a USB device that is open does.
func (h *handle) controls() bool {
	return !h.gigE() || C.arv_gv_device_is_controller((*C.ArvGvDevice)(unsafe.Pointer(h.device))) != 0
}

// controlLost tells whether Aravis's heartbeat went unanswered, or the USB device is gone.
func (h *handle) controlLost() bool { return C.g_atomic_int_get(&h.link.control_lost) != 0 }

// packetSize sets the stream's packet size in bytes, IP header included; 0 lets Aravis find the
// greatest that arrives. It gives the size in use.
func (h *handle) packetSize(bytes int) (int, error) {
	gv := (*C.ArvGvDevice)(unsafe.Pointer(h.device))
	C.arv_gv_device_set_packet_size_adjustment(gv, C.ARV_GV_PACKET_SIZE_ADJUSTMENT_NEVER)
	var e *C.GError
	if bytes == 0 {
		n := C.arv_gv_device_auto_packet_size(gv, &e)
		return int(n), taken(e)
	}
	C.arv_gv_device_set_packet_size(gv, C.gint(bytes), &e)
	if err := taken(e); err != nil {
		return 0, err
	}
	n := C.arv_gv_device_get_packet_size(gv, &e)
	return int(n), taken(e)
}

// node is the feature of a name, nil where there is none.
func (h *handle) node(name string) *C.ArvGcNode {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	n := C.arv_device_get_feature(h.device, c)
	if n == nil || C.is_feature(n) == 0 {
		return nil
	}
	return n
}

var kinds = [...]Kind{"", Enumeration, Boolean, Integer, Float, String, Command, ""}

// feature reads what the camera says of a feature. ok is false where it has none of that name.
func (h *handle) feature(name string) (f FeatureInfo, ok bool) {
	n := h.node(name)
	if n == nil {
		return f, false
	}
	kind := kinds[C.coil_kind(n)]
	if kind == "" {
		return f, false
	}
	fn := (*C.ArvGcFeatureNode)(unsafe.Pointer(n))
	f = FeatureInfo{Name: name, Kind: kind, Description: C.GoString(C.arv_gc_feature_node_get_description(fn)), Unit: C.GoString(C.unit(n))}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var e *C.GError
	f.Available = C.arv_device_is_feature_available(h.device, c, &e) != 0
	if taken(e) != nil || !f.Available {
		f.Available = false
		return f, true
	}
	mode := C.arv_gc_feature_node_get_actual_access_mode(fn)
	e = nil
	locked := C.arv_gc_feature_node_is_locked(fn, &e) != 0
	_ = taken(e)
	f.Writable = mode != C.ARV_GC_ACCESS_MODE_RO && !locked
	f.Readable = mode != C.ARV_GC_ACCESS_MODE_WO && kind != Command
	h.limits(&f, c)
	if f.Readable {
		h.value(&f, c)
	}
	return f, true
}

// limits fills in the bounds of a number and the entries of an enumeration; what the camera does not
// say stays open.
func (h *handle) limits(f *FeatureInfo, c *C.char) {
	var e *C.GError
	switch f.Kind {
	case Integer:
		var lo, hi C.gint64
		C.arv_device_get_integer_feature_bounds(h.device, c, &lo, &hi, &e)
		if taken(e) == nil && lo != math.MinInt64 && hi != math.MaxInt64 {
			f.Min, f.Max, f.Bounded = float64(lo), float64(hi), true
		}
		e = nil
		inc := C.arv_device_get_integer_feature_increment(h.device, c, &e)
		if taken(e) == nil && inc > 1 {
			f.Increment = float64(inc)
		}
	case Float:
		var lo, hi C.double
		C.arv_device_get_float_feature_bounds(h.device, c, &lo, &hi, &e)
		if taken(e) == nil && float64(lo) > -math.MaxFloat64 && float64(hi) < math.MaxFloat64 {
			f.Min, f.Max, f.Bounded = float64(lo), float64(hi), true
		}
	case Enumeration:
		var n C.guint
		list := C.arv_device_dup_available_enumeration_feature_values_as_strings(h.device, c, &n, &e)
		if taken(e) == nil && list != nil {
			for _, s := range unsafe.Slice(list, n) {
				f.Entries = append(f.Entries, C.GoString(s))
			}
		}
		C.g_free(C.gpointer(unsafe.Pointer(list)))
	}
}

// value reads a feature; what cannot be read stays nil.
func (h *handle) value(f *FeatureInfo, c *C.char) {
	var e *C.GError
	var v any
	switch f.Kind {
	case Boolean:
		v = C.arv_device_get_boolean_feature_value(h.device, c, &e) != 0
	case Integer:
		v = int64(C.arv_device_get_integer_feature_value(h.device, c, &e))
	case Float:
		v = float64(C.arv_device_get_float_feature_value(h.device, c, &e))
	case Enumeration, String:
		v = C.GoString(C.arv_device_get_string_feature_value(h.device, c, &e))
	}
	if taken(e) == nil {
		f.Value = v
	}
}

// write sets a feature to a value of its kind: bool, int64, float64 or string; a command is executed.
func (h *handle) write(name string, value any) error {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	var e *C.GError
	switch v := value.(type) {
	case nil:
		C.arv_device_execute_command(h.device, c, &e)
	case bool:
		var b C.gboolean
		if v {
			b = 1
		}
		C.arv_device_set_boolean_feature_value(h.device, c, b, &e)
	case int64:
		C.arv_device_set_integer_feature_value(h.device, c, C.gint64(v), &e)
	case float64:
		C.arv_device_set_float_feature_value(h.device, c, C.double(v), &e)
	case string:
		s := C.CString(v)
		defer C.free(unsafe.Pointer(s))
		C.arv_device_set_string_feature_value(h.device, c, s, &e)
	}
	return taken(e)
}

// names lists the features under a category and those below, in the camera's order.
func (h *handle) names(category string, depth int) (list []categorised) {
	n := h.node(category)
	if n == nil || C.coil_kind(n) != C.KIND_CATEGORY || depth == 0 {
		return nil
	}
	for l := C.arv_gc_category_get_features((*C.ArvGcCategory)(unsafe.Pointer(n))); l != nil; l = l.next {
		name := C.GoString(C.slist_string(l))
		if sub := h.node(name); sub != nil && C.coil_kind(sub) == C.KIND_CATEGORY {
			list = append(list, h.names(name, depth-1)...)
			continue
		}
		list = append(list, categorised{category, name})
	}
	return list
}

// stream is a running transfer from a device into buffers.
type stream struct {
	*handle
	stream  *C.ArvStream
	buffers []*C.ArvBuffer
	room    int   // bytes of a frame in a packet; 0 where the transport tells of none
	packets int64 // a whole frame's; 0 where the transport tells of none

	parser *C.ArvChunkParser // nil: no chunk is read
	chunk  *C.char
}

// socketBytes is asked of the kernel for a stream's socket: a burst waits there while Aravis's thread
// does not run. A process without CAP_NET_ADMIN gets no more than net.core.rmem_max.
const socketBytes = 64 << 20

// newStream prepares the transfer into bufs, all of the frame's size, whose memory must stay until
// close. loopback turns the packet socket off, which sees no frames there.
// chunk names the integer that is read out of each frame's chunk data; empty: none.
func (h *handle) newStream(bufs [][]byte, resend, loopback bool, packetSize int, extended bool, chunk string) (*stream, error) {
	gv := h.gigE()
	if gv && loopback {
		C.arv_gv_device_set_stream_options((*C.ArvGvDevice)(unsafe.Pointer(h.device)), C.ARV_GV_STREAM_OPTION_PACKET_SOCKET_DISABLED)
	}
	var e *C.GError
	st := C.create_stream(h.device, h.link, &e)
	if err := taken(e); err != nil || st == nil {
		return nil, fmt.Errorf("no stream: %w", err)
	}
	s := &stream{handle: h, stream: st}
	h.link.stream = st
	if C.is_gv_stream(st) != 0 {
		var again C.gboolean
		if resend {
			again = 1
		}
		C.tune(st, again)
		C.coil_room(st, socketBytes)
		header := 36 // IP, UDP and GVSP headers
		if extended {
			header = 48
		}
		s.room = packetSize - header
		s.packets = s.packetsOf(len(bufs[0]))
	}
	if chunk != "" {
		s.chunk = C.CString(chunk)
		deviceList.Lock()
		s.parser = C.arv_device_create_chunk_parser(h.device)
		deviceList.Unlock()
	}
	for i, b := range bufs {
		s.buffers = append(s.buffers, C.new_buffer(C.size_t(len(b)), unsafe.Pointer(&b[0]), C.guint(i)))
	}
	return s, nil
}

// push lends buffer i to the stream.
func (s *stream) push(i int) {
	b := s.buffers[i]
	C.arv_buffer_set_frame_id(b, noFrameID) // stays where the frame's first packet is lost
	C.g_object_ref(C.gpointer(b))
	C.arv_stream_push_buffer(s.stream, b)
}

// pop waits for a buffer; ok is false where none came in time.
func (s *stream) pop(timeout time.Duration) (a arrival, ok bool) {
	var packets C.gint64
	b := C.coil_pop(s.link, C.guint64(timeout.Microseconds()), &packets)
	if b == nil {
		return a, false
	}
	defer C.g_object_unref(C.gpointer(b)) // ours of push; s.buffers keeps another
	a = arrival{
		index: int(C.buffer_index(b)), id: uint64(C.arv_buffer_get_frame_id(b)), status: int(C.arv_buffer_get_status(b)),
		packets: int64(packets),
	}
	// Without a frame's leader its time would be an earlier frame's. Of a camera without a clock Aravis tells the host's time.
	if t := C.arv_buffer_get_timestamp(b); a.id != noFrameID && t != C.arv_buffer_get_system_timestamp(b) {
		a.device = time.Duration(t)
	}
	if a.status != statusSuccess || C.arv_buffer_get_n_parts(b) == 0 {
		return a, true // without its first packet the rest would be of an earlier frame
	}
	var size C.size_t
	C.arv_buffer_get_data(b, &size)
	a.bytes = int(size)
	if s.parser != nil {
		var v C.gint64
		a.counted = C.coil_chunk(s.parser, b, s.chunk, &v) != 0
		a.counter = int64(v)
	}
	switch C.arv_buffer_get_payload_type(b) {
	case C.ARV_BUFFER_PAYLOAD_TYPE_IMAGE, C.ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA:
		a.image = true
		a.format = uint32(C.arv_buffer_get_image_pixel_format(b))
		a.width, a.height = int(C.arv_buffer_get_image_width(b)), int(C.arv_buffer_get_image_height(b))
	}
	return a, true
}

// counts are those of the stream since it began.
func (s *stream) counts() (received, resent, noBuffer uint64) {
	c := C.coil_count(s.link)
	return uint64(c.received), uint64(c.resent), uint64(c.no_buffer)
}

// close ends the transfer: no buffer is written to any more. The device stays open.
func (s *stream) close() {
	C.g_object_unref(C.gpointer(s.stream)) // joins the stream's thread and gives up what is queued
	for _, b := range s.buffers {
		C.g_object_unref(C.gpointer(b))
	}
	if s.parser != nil {
		C.g_object_unref(C.gpointer(s.parser))
	}
	C.free(unsafe.Pointer(s.chunk))
}

// Buffer states of Aravis.
const (
	statusSuccess        = C.ARV_BUFFER_STATUS_SUCCESS
	statusTimeout        = C.ARV_BUFFER_STATUS_TIMEOUT
	statusMissingPackets = C.ARV_BUFFER_STATUS_MISSING_PACKETS
	statusWrongPacketID  = C.ARV_BUFFER_STATUS_WRONG_PACKET_ID
	statusSizeMismatch   = C.ARV_BUFFER_STATUS_SIZE_MISMATCH
	statusAborted        = C.ARV_BUFFER_STATUS_ABORTED
)
