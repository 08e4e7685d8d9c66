// Package fake is cameras in software, for tests and trials without one: Camera is Aravis's own GigE Vision
// camera (Debian: aravis-tools), Line a line camera of ours with chunk data. Camera's pixel at column x and
// line y of the frame with id n is (x+y+n) mod 255, times a gain that is one at an exposure of 10 ms; its
// ids begin at 65,401.
package fake

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const program = "arv-fake-gv-camera-0.8"

// Absent tells that the camera's program is not installed.
func Absent() bool {
	_, err := exec.LookPath(program)
	return err != nil
}

// Camera is a running fake camera. The caller must Kill it.
type Camera struct {
	Address, Serial string
	cmd             *exec.Cmd
}

// Start runs a camera on a loopback address, one camera an address, that loses as many of 1,000 packets.
// An address other than 127.0.0.1 is given to the loopback interface, which needs the right to.
func Start(address, serial string, lostPerThousand int) (*Camera, error) {
	if err := provide(address); err != nil {
		return nil, err
	}
	c := &Camera{Address: address, Serial: serial}
	c.cmd = exec.Command(program, "-i", address, "-s", serial, "-r", strconv.Itoa(lostPerThousand)) //nolint:noctx // ends with Kill
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if answers(address) {
			return c, nil
		}
	}
	c.Kill()
	return nil, fmt.Errorf("the fake camera on %s does not answer", address)
}

// Kill ends the camera at once, as a cut cable would.
func (c *Camera) Kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// provide gives the loopback interface an address.
func provide(address string) error {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	for _, a := range addrs {
		if strings.HasPrefix(a.String(), address+"/") {
			return nil
		}
	}
	out, err := exec.Command("ip", "address", "add", address+"/8", "dev", "lo").CombinedOutput() //nolint:noctx // at once
	if err != nil && !strings.Contains(string(out), "exists") {
		return fmt.Errorf("address %s is missing and cannot be added (%w: %s); run: sudo ip address add %s/8 dev lo",
			address, err, strings.TrimSpace(string(out)), address)
	}
	return nil
}

// answers sends a GigE Vision discovery command and waits for the answer.
func answers(address string) bool {
	conn, err := net.Dial("udp4", net.JoinHostPort(address, "3956")) //nolint:noctx // UDP connects at once
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte{0x42, 1, 0, 2, 0, 0, 0, 1})
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if err == nil {
		_, err = conn.Read(make([]byte, 1024))
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		time.Sleep(10 * time.Millisecond)
	}
	return err == nil
}
