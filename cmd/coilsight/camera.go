package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/inspection"
)

func cameraCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "camera",
		Short: "Look at GigE Vision and USB3 Vision cameras, set them, and take pictures from them",
		Long: `CAMERA is an id or a serial number as list prints it, a MAC address, or an IP address, which is asked without a
search. A camera obeys one program at a time: while an appliance has it, the others are refused.`,
		Example: "  coilsight camera list\n  coilsight camera show 10.0.0.5\n  coilsight camera set 10.0.0.5 ExposureTime=20 GainAuto=Off\n  coilsight camera grab 10.0.0.5 --out picture.png\n  coilsight camera record 10.0.0.5 --seconds 10 --out strip/",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("camera needs list, show, set, grab or record")
		},
	}
	c.AddCommand(cameraListCommand(), cameraShowCommand(), cameraSetCommand(), cameraGrabCommand(), cameraRecordCommand())
	return c
}

func cameraListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list [--json]",
		Short:   "List the cameras on all networks and USB ports",
		Example: "  coilsight camera list --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := genicam.Discover(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(list)
			}
			if len(list) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "no camera was found")
				return nil
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tSERIAL\tADDRESS\tMAC OR GUID\tPROTOCOL\tREACHABLE")
			for _, d := range list {
				reachable := "yes"
				if !d.Reachable {
					reachable = "no: its address may belong to another network"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Serial, d.Address, d.PhysicalID, d.Protocol, reachable)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return c
}

// withCamera runs a look at a camera and gives it back.
func withCamera(c *cobra.Command, name string, look func(*genicam.Control) error) error {
	control, err := genicam.Connect(c.Context(), inspection.CameraID(name), name)
	if err != nil {
		return err
	}
	return errors.Join(look(control), control.Close())
}

func cameraShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "show CAMERA [FEATURE...] [--json]",
		Short:   "Show a camera's features, their values and what is allowed",
		Example: "  coilsight camera show 10.0.0.5 Width ExposureTime",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withCamera(c, args[0], func(control *genicam.Control) error {
				list := control.Features()
				if len(args) > 1 {
					list = nil
					for _, name := range args[1:] {
						f, err := control.Feature(name)
						if err != nil {
							return err
						}
						list = append(list, f)
					}
				}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(struct {
						Device   genicam.Device        `json:"device"`
						Features []genicam.FeatureInfo `json:"features"`
					}{control.Device(), list})
				}
				fmt.Fprintln(c.OutOrStdout(), control.Device())
				return printFeatures(c.OutOrStdout(), list)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func printFeatures(out io.Writer, list []genicam.FeatureInfo) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	category := ""
	for _, f := range list {
		if f.Category != category {
			category = f.Category
			fmt.Fprintln(w, category)
		}
		value, allowed := "-", "read-only"
		if f.Value != nil {
			value = strings.TrimSpace(fmt.Sprint(f.Value) + " " + f.Unit)
		}
		switch {
		case !f.Available:
			allowed = "not available as the camera is set"
		case f.Writable:
			allowed = f.Allowed()
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Name, value, allowed)
	}
	return w.Flush()
}

// parseFeatures reads FEATURE=VALUE.
func parseFeatures(args []string) ([]genicam.Feature, error) {
	list := make([]genicam.Feature, 0, len(args))
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, misused("%q is not a setting; allowed is FEATURE=VALUE", a)
		}
		list = append(list, genicam.Feature{Name: name, Value: value})
	}
	return list, nil
}

func cameraSetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set CAMERA FEATURE=VALUE...",
		Short: "Set features of a camera, in this order",
		Long: `What the camera does not allow is refused with what it does; the settings before that one stay. A camera keeps
them until it loses power; those of the configuration are set at every start. A command is executed by true.`,
		Example: "  coilsight camera set 10.0.0.5 PixelFormat=Mono8 ExposureTime=20",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			features, err := parseFeatures(args[1:])
			if err != nil {
				return err
			}
			return withCamera(c, args[0], func(control *genicam.Control) error {
				for _, f := range features {
					if err := control.Set(f); err != nil {
						return err
					}
					now, err := control.Feature(f.Name)
					if err != nil {
						return err
					}
					if now.Value == nil {
						fmt.Fprintf(c.OutOrStdout(), "%s done\n", f.Name)
						continue
					}
					fmt.Fprintf(c.OutOrStdout(), "%s %s\n", f.Name, strings.TrimSpace(fmt.Sprint(now.Value)+" "+now.Unit))
				}
				return nil
			})
		},
	}
}
