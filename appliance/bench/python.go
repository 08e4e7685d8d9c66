package bench

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// trainingPython is where make train and make check set up a Python that has ONNX Runtime.
const trainingPython = "models/training/.venv/bin/python"

//go:embed session.py
var sessionScript string

// pythonSession is ONNX Runtime's own Python on a model, in a process of its own that waits for its turns.
type pythonSession struct {
	version string // of ONNX Runtime
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	errs    bytes.Buffer
}

// findPython starts the named Python, which must have ONNX Runtime, or the first that has it: that of the
// training, then python3. Where none has it there is no session and missing says why. The caller must close
// the session.
func findPython(ctx context.Context, named, model string, threads int) (s *pythonSession, missing string, err error) {
	if named != "" {
		s, err = startPython(ctx, named, model, threads)
		return s, "", err
	}
	var reasons []string
	for _, python := range []string{trainingPython, "python3"} {
		s, err := startPython(ctx, python, model, threads)
		if err == nil {
			return s, "", nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, strings.Join(reasons, "; "), nil
}

func startPython(ctx context.Context, python, model string, threads int) (*pythonSession, error) {
	s := &pythonSession{cmd: exec.CommandContext(ctx, python, "-c", sessionScript, model, strconv.Itoa(threads))}
	s.cmd.Stderr = &s.errs
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("the Python %s does not start: %w", python, err)
	}
	if s.version, err = s.answer(); err != nil {
		return nil, fmt.Errorf("the Python %s: %w", python, err)
	}
	return s, nil
}

// answer reads a line. Where there is none the process has failed, is waited for, and the last line it complained
// with is the error.
func (s *pythonSession) answer() (string, error) {
	if s.out.Scan() {
		return s.out.Text(), nil
	}
	_ = s.in.Close()
	err := s.cmd.Wait()
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	lines := strings.Split(strings.TrimSpace(s.errs.String()), "\n")
	return "", fmt.Errorf("it ended and said %q: %w", lines[len(lines)-1], err)
}

// speed runs batches for about d.
func (s *pythonSession) speed(batch int, d time.Duration) (v speed, err error) {
	if _, err := fmt.Fprintln(s.in, batch, d.Seconds()); err != nil {
		return v, err
	}
	line, err := s.answer()
	if err != nil {
		return v, err
	}
	if _, err := fmt.Sscan(line, &v.rate, &v.byCPU); err != nil {
		return v, fmt.Errorf("the Python answered %q; allowed are two rates: %w", line, err)
	}
	return v, nil
}

func (s *pythonSession) close() error {
	return errors.Join(s.in.Close(), s.cmd.Wait())
}

// modelFile writes a model beside the record that is measured, for Python to read.
func modelFile(work string, onnx []byte) (string, error) {
	path := filepath.Join(work, "model.onnx")
	return path, os.WriteFile(path, onnx, 0o600)
}
