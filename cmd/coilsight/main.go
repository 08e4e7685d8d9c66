// Command coilsight is the surface-inspection appliance and its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "development"

// Exit codes of every sub-command.
const (
	exitDone    = 0
	exitFailed  = 1
	exitMisused = 2
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func misused(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "stopping: what has arrived is being recorded (once more to stop at once)")
		stop()
		<-signals
		os.Exit(exitFailed)
	}()
	code := execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// execute runs one command line and gives its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "coilsight: "+oneLine(err))
	var misuse usageError
	if errors.As(err, &misuse) {
		return exitMisused
	}
	return exitFailed
}

// oneLine joins what several parts said into one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:     "coilsight",
		Short:   "Surface inspection of steel strip, from camera frames to a graded coil",
		Version: version,
		Example: "  coilsight run\n  coilsight replay --coil A1234 --data data strips/\n  coilsight inspect --json strip.jpg",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("a sub-command is missing")
		},
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(runCommand(), replayCommand(), inspectCommand(), classifyCommand(), evaluateCommand(), benchCommand(), simulateCommand(), datasetCommand(), modelCommand(), teachCommand(), stabilityCommand(), sampleCommand(), cameraCommand(), calibrateCommand(), configCommand(), healthCommand())
	asMisuse(root)
	return root
}

// asMisuse lets a wrong flag or argument of any sub-command end with exit code 2.
func asMisuse(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return misused("%w; see %s --help", err, c.CommandPath())
	})
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			if err == nil {
				err = c.ValidateRequiredFlags()
			}
			if err != nil {
				return misused("%w; see %s --help", err, c.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		asMisuse(sub)
	}
}
