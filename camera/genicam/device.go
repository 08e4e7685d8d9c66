package genicam

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

const gigEVision = "GigEVision"

// Device is a camera that was found.
type Device struct {
	ID         string `json:"id"` // Aravis's: vendor, model and serial
	Vendor     string `json:"vendor"`
	Model      string `json:"model"`
	Serial     string `json:"serial"`
	Address    string `json:"address"`     // IP address, or the USB port
	PhysicalID string `json:"physical_id"` // MAC address, or USB's GUID
	Protocol   string `json:"protocol"`    // GigEVision or USB3Vision
	// Reachable tells that the camera answers where it says it is. One whose address belongs to another
	// network was found by broadcast and cannot be opened.
	Reachable bool `json:"reachable"`
}

func (d Device) String() string {
	s := d.ID
	if d.Address != "" {
		s += " at " + d.Address
	}
	return s
}

// Discover lists the cameras on all networks and USB ports. It takes a second, for the last answer to
// come in.
func Discover(ctx context.Context) ([]Device, error) {
	done := make(chan []Device, 1)
	go func() { done <- enumerate() }() // ends by itself within its second
	var list []Device
	select {
	case list = <-done:
	case <-ctx.Done():
		<-done
		return nil, ctx.Err()
	}
	for i := range list {
		d := &list[i]
		d.Reachable = true
		if at, ok := d.ip(); ok {
			_, err := identify(ctx, at)
			d.Reachable = err == nil
		}
	}
	return list, ctx.Err()
}

// ip is the address of a GigE Vision camera.
func (d Device) ip() (netip.Addr, bool) {
	if d.Protocol != gigEVision {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(d.Address)
	return a, err == nil && a.Is4()
}

// named tells whether a name given by a person is this device's id, serial, MAC or address.
func (d Device) named(name string) bool {
	return name == d.ID || name == d.Serial || name == d.Address || strings.EqualFold(name, d.PhysicalID)
}

// find is the device of a name: an IP address is asked directly, all else is sought among the
// discovered.
func find(ctx context.Context, id inspection.CameraID, name string) (Device, error) {
	bad := func(format string, a ...any) error {
		return &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf(format, a...)}
	}
	if name == "" {
		return Device{}, bad("it has no address; allowed are an id, a serial number or an IP address")
	}
	if at, err := netip.ParseAddr(name); err == nil {
		if !at.Is4() {
			return Device{}, bad("%s is not possible; GigE Vision has IPv4 addresses", name)
		}
		d, err := identify(ctx, at)
		if err != nil && ctx.Err() == nil {
			return d, bad("at %s is no camera: %v", name, err)
		}
		return d, err
	}
	list, err := Discover(ctx)
	if err != nil {
		return Device{}, err
	}
	var matches []Device
	for _, d := range list {
		if d.named(name) {
			matches = append(matches, d)
		}
	}
	switch {
	case len(matches) == 1 && !matches[0].Reachable:
		return Device{}, bad("%s does not answer; its address may belong to another network than this computer's", matches[0])
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return Device{}, bad("%q names %d cameras: %s", name, len(matches), sentence(matches))
	case len(list) == 0:
		return Device{}, bad("%q is not there; no camera is", name)
	}
	return Device{}, bad("%q is not there; found are %s", name, sentence(list))
}

// sentence lists devices in words.
func sentence(list []Device) string {
	words := make([]string, len(list))
	for i, d := range list {
		words[i] = d.String()
	}
	return strings.Join(words, ", ")
}
