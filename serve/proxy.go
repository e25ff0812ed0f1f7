package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// basePath matches paths of plain segments.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// maxBasePath bounds the characters of a base path.
const maxBasePath = 200

// parseBasePath returns the path below which a proxy serves this server, without the slash at its end; "" for the root.
func parseBasePath(text string) (string, error) {
	base := strings.TrimSuffix(text, "/")
	if base == "" && text != "//" {
		return "", nil
	}
	if len(base) > maxBasePath || !basePath.MatchString(base) || path.Clean(base) != base {
		return "", fmt.Errorf("%q is not a path of letters, digits and -._~ below /", text)
	}
	return base, nil
}

// CheckBasePath returns the base path of a flag. A proxy may strip it or not, so that it must not begin as the server's
// own paths do.
func CheckBasePath(text string) (string, error) {
	base, err := parseBasePath(text)
	own := []string{"api", "assets", "healthz", "readyz", "metrics", "openapi.json", "domains"}
	if first, _, _ := strings.Cut(strings.TrimPrefix(base, "/"), "/"); err == nil && slices.Contains(own, first) {
		err = fmt.Errorf("the server has a path /%s of its own", first)
	}
	if err != nil {
		return "", fault.Usage(fmt.Errorf("--base-path: %w", err), "give a path such as /tools/illustrator/")
	}
	return base, nil
}

// Listen opens the address of the flag --listen. It warns if others than this machine reach it without a token.
func Listen(address, token string, log *slog.Logger) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		err = fmt.Errorf("--listen %q: %w", address, err)
		if wrong := (*net.AddrError)(nil); errors.As(err, &wrong) {
			return nil, fault.Usage(err, "--listen takes an address and a port, such as 127.0.0.1:8080")
		}
		return nil, fault.Hint(err, "give an address of this machine and a port that no other program uses")
	}
	if at := listener.Addr().(*net.TCPAddr); !at.IP.IsLoopback() && token == "" {
		log.Warn("everybody who reaches " + at.String() + " may draw: give --token-file to ask for a token")
	}
	return listener, nil
}

// ParseProxies returns the networks of addresses such as 10.0.0.7, and of networks such as 10.0.0.0/8.
func ParseProxies(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, e := netip.ParseAddr(text)
			if err = e; e == nil {
				network, err = address.Unmap().Prefix(address.Unmap().BitLen())
			}
		}
		if err != nil {
			return nil, fault.Usage(fmt.Errorf("--proxy %q is not an IP address or network", text),
				"give the proxy's address, such as 10.0.0.7, or its network, such as 10.0.0.0/8")
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// fromProxy reports whether a request comes from one of the proxies, whose headers are believed: a client that is not a
// proxy could write any.
func (s *Server) fromProxy(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	address := peer.Addr().Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(s.Limits.Connections.Proxies,
		func(p netip.Prefix) bool { return p.Contains(address) })
}

// client returns who sent a request, for the log: by X-Forwarded-For, where a proxy adds the address that it knows.
func (s *Server) client(r *http.Request) string {
	if given := r.Header.Values("X-Forwarded-For"); len(given) > 0 && s.fromProxy(r) {
		all := strings.Split(given[len(given)-1], ",")
		if address, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			return address.String()
		}
	}
	return r.RemoteAddr
}

// requested returns a request with the host that the client named, by X-Forwarded-Host of a proxy.
func (s *Server) requested(r *http.Request) *http.Request {
	if host := r.Header.Get("X-Forwarded-Host"); host != "" && s.fromProxy(r) {
		r = r.WithContext(r.Context())
		r.Host = host
	}
	return r
}

// prefixKey is the key of a request's prefix in its context.
type prefixKey struct{}

// target names what a request is for.
type target struct {
	of *studio // nil where no domain is
	// folder is the address of a folder that the request names without the slash at its end; the page's relative
	// addresses need it.
	folder string
}

func (t target) domain() string {
	if t.of == nil {
		return ""
	}
	return t.of.Name
}

// place returns a request with the path that the domain's handlers know, what it is for, and with the prefix of its
// addresses in its context: that of a proxy's X-Forwarded-Prefix, or the base path, and that of the domain.
func (s *Server) place(r *http.Request) (*http.Request, target, *problem) {
	prefix, base := s.BasePath, s.BasePath
	if given := r.Header.Values("X-Forwarded-Prefix"); len(given) > 0 && s.fromProxy(r) {
		var err error
		if prefix, err = parseBasePath(strings.Join(given, ",")); err != nil {
			return r, target{}, &problem{status: http.StatusBadRequest, Message: "X-Forwarded-Prefix: " + err.Error(),
				Hint: "let the proxy send its own"}
		}
	}
	at := *r.URL
	if rest, ok := strings.CutPrefix(at.Path, base+"/"); ok {
		at.Path, at.RawPath = "/"+rest, strings.TrimPrefix(at.RawPath, base)
	}
	// http.ServeMux would redirect to a path without the prefix.
	if at.RawPath == "" && strings.HasPrefix(at.Path, "/") {
		at.Path = clean(at.Path)
	}
	to := target{of: s.studios[0]}
	if base != "" && at.Path == base {
		to.folder = base + "/"
	}
	if rest, ok := strings.CutPrefix(at.Path, domainsPath); ok {
		name, _, inside := strings.Cut(rest, "/")
		if to.of = s.studio(name); to.of == nil {
			return r, to, &problem{status: http.StatusNotFound, Message: fmt.Sprintf("this server has no domain %q", name),
				Hint: "api/v1/domain lists its domains"}
		}
		folder := domainsPath + name
		if !inside {
			to.folder = name + "/"
		}
		prefix += folder
		at.Path, at.RawPath = strings.TrimPrefix(at.Path, folder), strings.TrimPrefix(at.RawPath, folder)
	}
	r = r.WithContext(context.WithValue(r.Context(), prefixKey{}, prefix))
	r.URL = &at
	return r, to, nil
}

// domainsPath precedes the name of a domain in paths.
const domainsPath = "/domains/"

// studio returns that of a domain, nil where there is none.
func (s *Server) studio(name string) *studio {
	if i := slices.IndexFunc(s.studios, func(of *studio) bool { return of.Name == name }); i >= 0 {
		return s.studios[i]
	}
	return nil
}

// clean returns a path without empty and dotted segments. It keeps the slash at its end.
func clean(p string) string {
	if cleaned := path.Clean(p); cleaned != "/" && strings.HasSuffix(p, "/") {
		return cleaned + "/"
	} else {
		return cleaned
	}
}

// redirect answers with the address of a folder.
func redirect(w http.ResponseWriter, r *http.Request, folder string) {
	to := url.URL{Path: folder, RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusPermanentRedirect)
}

// pngPath is the address of a picture's file, for a client of the request of a context.
func pngPath(ctx context.Context, id string) string {
	prefix, _ := ctx.Value(prefixKey{}).(string)
	return prefix + "/api/v1/pictures/" + id + "/png"
}
