package genicam

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// claims are the devices this process has open. A camera answers to one program alone and does not say
// to which; within the process we do.
var claims struct {
	sync.Mutex
	by map[string]inspection.CameraID
}

func claimKey(d Device) string { return d.ID + " " + d.Address }

// claim takes a device for a camera. The caller must release it.
func claim(id inspection.CameraID, d Device) (release func(), err error) {
	claims.Lock()
	defer claims.Unlock()
	key := claimKey(d)
	if other, taken := claims.by[key]; taken {
		return nil, &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf("%s is camera %s already", d, other)}
	}
	if claims.by == nil {
		claims.by = map[string]inspection.CameraID{}
	}
	claims.by[key] = id
	return func() {
		claims.Lock()
		defer claims.Unlock()
		delete(claims.by, key)
	}, nil
}

// heartbeat is how long a camera keeps to a program that was cut off, as Aravis sets it, and some.
const heartbeat = 4 * time.Second

// open opens a device and takes control of it. Where somebody else has it, open waits for patience: it
// may be ourselves before a crash.
func open(ctx context.Context, id inspection.CameraID, d Device, patience time.Duration) (*handle, route, error) {
	at, network := d.ip()
	if !network {
		h, err := openID(d.ID)
		if err != nil {
			return nil, route{}, fmt.Errorf("camera %s: %s cannot be opened: %w", id, d, err)
		}
		return h, route{}, nil
	}
	r, err := routeTo(at)
	if err != nil {
		return nil, r, fmt.Errorf("camera %s: %w", id, err)
	}
	held := func(host string) error {
		if host != "" {
			host = " (" + host + ")"
		}
		return &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf("%s is held by another program or host%s", d, host)}
	}
	for end := time.Now().Add(patience); ; {
		other, host, err := holder(ctx, at)
		if err != nil {
			return nil, r, fmt.Errorf("camera %s: %s: %w", id, d, err)
		}
		if !other {
			break
		}
		if !time.Now().Before(end) {
			return nil, r, held(host)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return nil, r, err
		}
	}
	h, err := openAddress(r.local, at)
	if err != nil {
		return nil, r, fmt.Errorf("camera %s: %s cannot be opened: %w", id, d, err)
	}
	if !h.controls() {
		h.close()
		return nil, r, held("")
	}
	return h, r, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Control is an open camera that does not stream: its features can be read and set. The caller must
// Close it. It is for one goroutine.
type Control struct {
	id      inspection.CameraID
	device  Device
	handle  *handle
	release func()
}

// Connect opens the camera that address names by id, serial number or IP address. A camera that another
// program or host holds is an error, after 4 s.
func Connect(ctx context.Context, id inspection.CameraID, address string) (*Control, error) {
	d, err := find(ctx, id, address)
	if err != nil {
		return nil, err
	}
	release, err := claim(id, d)
	if err != nil {
		return nil, err
	}
	h, _, err := open(ctx, id, d, heartbeat)
	if err != nil {
		release()
		return nil, err
	}
	return &Control{id: id, device: d, handle: h, release: release}, nil
}

// Device is the camera that was opened.
func (c *Control) Device() Device { return c.device }

// Features lists all the camera's features with their values and limits, in the camera's order.
func (c *Control) Features() []FeatureInfo {
	var list []FeatureInfo
	for _, n := range c.handle.names("Root", 8) {
		if f, ok := c.handle.feature(n.name); ok {
			f.Category = n.category
			list = append(list, f)
		}
	}
	return list
}

// Feature reads one feature.
func (c *Control) Feature(name string) (FeatureInfo, error) {
	f, ok := c.handle.feature(name)
	if !ok {
		return f, &inspection.FieldError{Field: "camera " + string(c.id), Reason: "it has no feature " + name}
	}
	return f, nil
}

// Set sets a feature. What the camera does not allow is a *inspection.FieldError that says what is.
func (c *Control) Set(f Feature) error { return c.handle.set(c.id, f) }

// Close gives the camera back; its settings stay until it loses power.
func (c *Control) Close() error {
	if c.handle == nil {
		return errors.New("genicam: the camera is closed already")
	}
	c.handle.close()
	c.handle = nil
	c.release()
	return nil
}
