package encoder

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/simonvetter/modbus"

	"github.com/coilsight/coilsight/inspection"
)

// ModbusOptions say where a counter is read over Modbus TCP.
type ModbusOptions struct {
	Address  string // HOST:PORT
	Unit     uint8
	Holding  bool // in place of input registers
	Register uint16
	Bits     int  // 16 or 32
	LowFirst bool // of two registers the first holds the lower half
	Every    time.Duration
}

// Check refuses what cannot be read, as an *inspection.FieldError.
func (o ModbusOptions) Check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: field, Reason: fmt.Sprintf(format, a...)}
	}
	if host, port, err := net.SplitHostPort(o.Address); err != nil || host == "" || port == "" {
		return bad("address", "%q is not an address; allowed is HOST:PORT, such as 10.0.0.9:502", o.Address)
	}
	switch {
	case o.Bits != 16 && o.Bits != 32:
		return bad("bits", "%d is not possible; allowed are 16 and 32", o.Bits)
	case o.Bits == 32 && o.Register == 0xffff:
		return bad("register", "%d is the last one; a counter of 32 bits needs two", o.Register)
	case o.Every < 5*time.Millisecond || o.Every > time.Second:
		return bad("every_ms", "%v is not possible; allowed are 5 to 1000 ms", o.Every)
	}
	return nil
}

// Modbus polls a counter and adds its readings to a track. It connects again for as long as Run runs.
type Modbus struct {
	o      ModbusOptions
	track  *Track
	reason atomic.Pointer[string]
}

// NewModbus makes a poller.
func NewModbus(o ModbusOptions, t *Track) (*Modbus, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	m := &Modbus{o: o, track: t}
	m.say("it has not been reached yet")
	return m, nil
}

const (
	modbusTimeout = 500 * time.Millisecond
	modbusAgain   = time.Second
)

// Run polls until ctx ends.
func (m *Modbus) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.connected(ctx); err != nil {
			m.say(fmt.Sprintf("encoder at %s: %v", m.o.Address, err))
		}
		select {
		case <-time.After(modbusAgain):
		case <-ctx.Done():
		}
	}
}

// Failing says why no readings come; empty while they do.
func (m *Modbus) Failing() string { return *m.reason.Load() }

func (m *Modbus) say(reason string) { m.reason.Store(&reason) }

// connected polls over one connection until it fails.
func (m *Modbus) connected(ctx context.Context) error {
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + m.o.Address, Timeout: modbusTimeout})
	if err != nil {
		return err
	}
	if err := c.Open(); err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it has only read
	if err := c.SetUnitId(m.o.Unit); err != nil {
		return err
	}
	tick := time.NewTicker(m.o.Every)
	defer tick.Stop()
	for {
		before := time.Now()
		raw, err := m.read(c)
		if err != nil {
			return err
		}
		// The counter was read somewhere between the question and the answer.
		m.track.Add(before.Add(time.Since(before)/2), raw)
		m.say("")
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *Modbus) read(c *modbus.ModbusClient) (int64, error) {
	kind, count := modbus.INPUT_REGISTER, uint16(m.o.Bits/16)
	if m.o.Holding {
		kind = modbus.HOLDING_REGISTER
	}
	r, err := c.ReadRegisters(m.o.Register, count, kind)
	if err != nil {
		return 0, fmt.Errorf("%s register %d of unit %d cannot be read: %w", map[bool]string{false: "input", true: "holding"}[m.o.Holding], m.o.Register, m.o.Unit, err)
	}
	switch {
	case count == 1:
		return int64(r[0]), nil
	case m.o.LowFirst:
		return int64(uint32(r[1])<<16 | uint32(r[0])), nil
	}
	return int64(uint32(r[0])<<16 | uint32(r[1])), nil
}
