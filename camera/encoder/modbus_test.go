package encoder

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
)

// counter is a Modbus TCP server with a counter of 32 bits in the registers 100 and 101 of unit 1, input and holding.
type counter struct {
	value atomic.Uint32
	asked atomic.Int64
}

func (c *counter) registers(unit uint8, addr, quantity uint16) ([]uint16, error) {
	c.asked.Add(1)
	if unit != 1 || addr != 100 || quantity > 2 {
		return nil, modbus.ErrIllegalDataAddress
	}
	v := c.value.Load()
	return []uint16{uint16(v >> 16), uint16(v)}[:quantity], nil
}

func (c *counter) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	return c.registers(r.UnitId, r.Addr, r.Quantity)
}

func (c *counter) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	return c.registers(r.UnitId, r.Addr, r.Quantity)
}

func (c *counter) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}

func (c *counter) HandleDiscreteInputs(*modbus.DiscreteInputsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}

// serve starts the server on an address, of the system's choice where the port is 0.
func (c *counter) serve(t *testing.T, address string) (string, func()) {
	t.Helper()
	if strings.HasSuffix(address, ":0") {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		address = l.Addr().String()
		_ = l.Close()
	}
	s, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + address, Timeout: 5 * time.Second, MaxClients: 4}, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return address, func() { _ = s.Stop() }
}

// poller runs one until the test ends.
func poller(t *testing.T, o ModbusOptions, tr *Track) *Modbus {
	t.Helper()
	m, err := NewModbus(o, tr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return m
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 5 s", what)
		}
	}
}

func TestCounterIsReadOverModbusAndFoundAgain(t *testing.T) {
	for _, holding := range []bool{false, true} {
		c := &counter{}
		c.value.Store(1<<32 - 50)
		address, stop := c.serve(t, "127.0.0.1:0")
		tr := newTrack(t, Options{Bits: 32, MaxPerSecond: 1e6})
		m := poller(t, ModbusOptions{Address: address, Unit: 1, Holding: holding, Register: 100, Bits: 32, Every: 10 * time.Millisecond}, tr)
		eventually(t, "readings", func() bool { return m.Failing() == "" && tr.State(time.Now()).Motion == Standing })
		c.value.Add(150) // over the counter's end
		var count float64
		eventually(t, "the counter's step", func() bool {
			count, _ = tr.At(tr.State(time.Now()).Last)
			return count == 150
		})
		stop()
		eventually(t, "a sentence for the lost server", func() bool { return strings.HasPrefix(m.Failing(), "encoder at "+address) })
		eventually(t, "silence", func() bool { return tr.State(time.Now()).Motion == Silent })
		_, stop = c.serve(t, address)
		eventually(t, "readings again", func() bool { return m.Failing() == "" && tr.State(time.Now()).Motion == Standing })
		stop()
	}
}

func TestWrongRegisterIsNamed(t *testing.T) {
	c := &counter{}
	address, stop := c.serve(t, "127.0.0.1:0")
	defer stop()
	m := poller(t, ModbusOptions{Address: address, Unit: 1, Register: 200, Bits: 16, Every: 10 * time.Millisecond}, newTrack(t, Options{}))
	eventually(t, "the register named", func() bool { return strings.Contains(m.Failing(), "input register 200 of unit 1 cannot be read") })
}

func TestHalvesOfACounterInEitherOrder(t *testing.T) {
	c := &counter{}
	c.value.Store(0x00010002) // read with the low half first: 0x00020001
	address, stop := c.serve(t, "127.0.0.1:0")
	defer stop()
	for low, want := range map[bool]int64{false: 0x00010002, true: 0x00020001} {
		tr := newTrack(t, Options{})
		poller(t, ModbusOptions{Address: address, Unit: 1, Register: 100, Bits: 32, LowFirst: low, Every: 10 * time.Millisecond}, tr)
		eventually(t, "a reading", func() bool { return !tr.State(time.Now()).Last.IsZero() })
		tr.mu.Lock()
		if tr.raw != want {
			t.Errorf("low half first %v: read %#x, want %#x", low, tr.raw, want)
		}
		tr.mu.Unlock()
	}
}
