package keeper

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// The marks an overlay leaves in its upper directory (the kernel's Documentation/filesystems/overlayfs.rst).
const (
	opaqueXattr   = "trusted.overlay.opaque"
	redirectXattr = "trusted.overlay.redirect"
	metacopyXattr = "trusted.overlay.metacopy"
)

// isDetached tells whether an upper directory hides its lower one (opaque) or shows another (redirect).
func isDetached(dir int, name string) bool {
	return xattrAt(dir, name, opaqueXattr) == "y" || xattrAt(dir, name, redirectXattr) != ""
}

// isMetadataOnly: the content is still the lower file's of this very path.
func isMetadataOnly(dir int, name string) bool {
	return hasXattrAt(dir, name, metacopyXattr) && !hasXattrAt(dir, name, redirectXattr)
}

// The sandbox cannot set trusted.* attributes: that takes SYS_ADMIN outside any user namespace (xattr(7)).
func xattrAt(dir int, name, attribute string) string {
	value := make([]byte, 4096)
	n, err := unix.Lgetxattr(procPath(dir, name), attribute, value)
	if err != nil {
		return ""
	}
	return string(value[:n])
}

func hasXattrAt(dir int, name, attribute string) bool {
	_, err := unix.Lgetxattr(procPath(dir, name), attribute, nil)
	return err == nil
}

func procPath(dir int, name string) string {
	return "/proc/self/fd/" + strconv.Itoa(dir) + "/" + name
}
