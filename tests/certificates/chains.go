// Makes chains of certificates at random, good and bad, and says which Go accepts for a server: the
// rules that kubectl follows. One JSON object a line; the arguments are how many, and a seed.
package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	mathrand "math/rand"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The moment at which every chain is judged.
var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

type verdict struct {
	Roots    [][]byte `json:"roots"`
	Chain    [][]byte `json:"chain"`
	Host     string   `json:"host"`
	Accepted bool     `json:"accepted"`
	Why      string   `json:"why"`
}

type made struct {
	der      []byte
	template *x509.Certificate
	key      crypto.Signer
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	count, seed := must(strconv.Atoi(os.Args[1])), must(strconv.ParseInt(os.Args[2], 10, 64))
	random := mathrand.New(mathrand.NewSource(seed))
	maker := newMaker(random)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for done := 0; done < count; {
		if one, ok := maker.one(); ok {
			if err := encoder.Encode(one); err != nil {
				panic(err)
			}
			done++
		}
	}
}

type maker struct {
	random *mathrand.Rand
	keys   []crypto.Signer
	short  crypto.Signer
	serial int64
}

func newMaker(random *mathrand.Rand) *maker {
	m := &maker{random: random}
	for range 6 {
		m.keys = append(m.keys, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	}
	m.keys = append(m.keys, must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))
	m.keys = append(m.keys, must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)))
	m.keys = append(m.keys, must(rsa.GenerateKey(rand.Reader, 2048)))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	m.keys = append(m.keys, must(crypto.Signer(ed), err))
	m.short = must(rsa.GenerateKey(rand.Reader, 1024))
	return m
}

func (m *maker) chance(percent int) bool { return m.random.Intn(100) < percent }

func pick[T any](m *maker, of ...T) T { return of[m.random.Intn(len(of))] }

// A certificate's template; how far it may stray is decided by chance.
func (m *maker) template(name string, isCA bool, stray bool) *x509.Certificate {
	m.serial++
	t := &x509.Certificate{
		SerialNumber: big.NewInt(m.serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.AddDate(-1, 0, 0),
		NotAfter:     now.AddDate(1, 0, 0),
		MaxPathLen:   -1,
	}
	if isCA {
		t.IsCA, t.BasicConstraintsValid = true, true
		t.KeyUsage = x509.KeyUsageCertSign
	} else {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if !isCA || m.chance(10) {
		t.DNSNames = pick(m, []string{"api.example.com"}, []string{"*.example.com"}, []string{"api.example.com", "b.example.com"},
			[]string{"other.example.net"}, []string{"*.com"}, []string{"localhost"}, []string{"API.Example.com"}, nil, []string{"api_1.example.com"}, []string{"api.example.com."})
		t.IPAddresses = pick(m, nil, nil, []net.IP{net.IPv4(127, 0, 0, 1)}, []net.IP{net.IPv4(10, 1, 2, 3), net.ParseIP("fd00::1")})
	}
	if !stray {
		return t
	}
	for range 1 + m.random.Intn(2) {
		m.stray(t)
	}
	return t
}

func (m *maker) stray(t *x509.Certificate) {
	switch m.random.Intn(17) {
	case 0:
		t.NotAfter = now.Add(-time.Duration(1+m.random.Intn(100000)) * time.Second)
	case 1:
		t.NotBefore = now.Add(time.Duration(1+m.random.Intn(100000)) * time.Second)
	case 2:
		t.IsCA = !t.IsCA
		t.BasicConstraintsValid = true
	case 3:
		t.IsCA, t.BasicConstraintsValid = false, false
	case 4:
		t.KeyUsage = pick(m, x509.KeyUsageDigitalSignature, x509.KeyUsageCRLSign, 0, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	case 5:
		t.ExtKeyUsage = pick(m, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, nil, []x509.ExtKeyUsage{x509.ExtKeyUsageNetscapeServerGatedCrypto})
	case 6:
		t.ExtKeyUsage = nil
		t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3, 4}}
	case 7:
		t.MaxPathLen = m.random.Intn(2)
		t.MaxPathLenZero = true
	case 8:
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5 + m.random.Intn(3)}, Critical: m.chance(50), Value: []byte{5, 0}})
	case 9:
		t.PermittedDNSDomains = pick(m, []string{"example.com"}, []string{".example.com"}, []string{"example.net"}, []string{"com"}, []string{"api.example.com", "b.example.com"}, []string{""})
		t.PermittedDNSDomainsCritical = m.chance(50)
	case 10:
		t.ExcludedDNSDomains = pick(m, []string{"example.com"}, []string{"b.example.com"}, []string{"Example.net"}, []string{"api.example.com"}, []string{".example.com"}, []string{"xample.com"})
	case 11:
		_, four, _ := net.ParseCIDR(pick(m, "127.0.0.0/8", "10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0"))
		_, six, _ := net.ParseCIDR(pick(m, "fd00::/8", "::/0", "2001:db8::/32"))
		if m.chance(50) {
			t.PermittedIPRanges = pick(m, []*net.IPNet{four}, []*net.IPNet{six}, []*net.IPNet{four, six})
		} else {
			t.ExcludedIPRanges = pick(m, []*net.IPNet{four}, []*net.IPNet{six}, []*net.IPNet{four, six})
		}
	case 12:
		t.EmailAddresses = []string{"a@example.com"}
	case 13:
		t.URIs = []*url.URL{must(url.Parse("spiffe://example.com/ns/a"))}
	case 14:
		t.SignatureAlgorithm = pick(m, x509.SHA1WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA1, x509.ECDSAWithSHA384, x509.ECDSAWithSHA256)
	case 15:
		t.PolicyIdentifiers = []asn1.ObjectIdentifier{{1, 2, 3}}
		t.Policies = []x509.OID{must(x509.OIDFromInts([]uint64{1, 2, 3}))}
	case 16:
		t.Subject.CommonName = "api.example.com"
	}
}

func (m *maker) key(isCA bool) crypto.Signer {
	if isCA && m.chance(4) {
		return m.short
	}
	return m.keys[m.random.Intn(len(m.keys))]
}

func (m *maker) make(t *x509.Certificate, key crypto.Signer, by *made) (*made, bool) {
	parent, signer := t, key
	if by != nil {
		parent, signer = by.template, by.key
	}
	// What stolos is known to refuse and Go accepts: RSA-1024 with SHA-384 or PSS.
	if signer == m.short && t.SignatureAlgorithm != x509.SHA1WithRSA && t.SignatureAlgorithm != x509.SHA512WithRSA {
		t.SignatureAlgorithm = x509.SHA256WithRSA
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		t.SignatureAlgorithm = 0
		if der, err = x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer); err != nil {
			return nil, false
		}
	}
	return &made{der, t, key}, true
}

func (m *maker) one() (verdict, bool) {
	// Half of the chains stray at one place, some at several, some nowhere.
	strays := [5]bool{}
	for range m.random.Intn(3) {
		strays[m.random.Intn(5)] = true
	}
	root, ok := m.make(m.template("root", true, strays[0]), m.key(true), nil)
	if !ok {
		return verdict{}, false
	}
	depth := m.random.Intn(3)
	chain := []*made{root}
	for level := range depth {
		name := "intermediate " + strconv.Itoa(level)
		if m.chance(3) {
			name = "root"
		}
		next, ok := m.make(m.template(name, true, strays[1+level]), m.key(true), chain[len(chain)-1])
		if !ok {
			return verdict{}, false
		}
		chain = append(chain, next)
	}
	leafKey := m.keys[m.random.Intn(len(m.keys))]
	var leaf *made
	if m.chance(10) {
		leaf, ok = m.make(m.template("leaf", m.chance(50), strays[3]), leafKey, nil)
		if ok && leaf.template.IsCA && m.chance(80) {
			leaf.template.DNSNames = []string{"api.example.com"}
			leaf, ok = m.make(leaf.template, leafKey, nil)
		}
	} else {
		leaf, ok = m.make(m.template("leaf", false, strays[3]), leafKey, chain[len(chain)-1])
	}
	if !ok {
		return verdict{}, false
	}
	one := verdict{Host: pick(m, "api.example.com", "api.example.com", "api.example.com", "localhost", "127.0.0.1", "10.1.2.3", "fd00::1", "api_1.example.com", "b.example.com")}
	// Mostly a host that the leaf is for, so that all else is looked at too.
	if m.chance(80) {
		one.Host = fitting(leaf.template, one.Host)
	}
	// What the server presents: its own, the ones between, now and then the root; sometimes shuffled or short of one.
	presented := []*made{leaf}
	for index := len(chain) - 1; index > 0; index-- {
		if !m.chance(4) {
			presented = append(presented, chain[index])
		}
	}
	if m.chance(15) {
		presented = append(presented, root)
	}
	if m.chance(10) {
		rest := presented[1:]
		m.random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	}
	// What the client trusts: the root, or another of that name, or the leaf itself, or what is between.
	trusted := []*made{root}
	switch m.random.Intn(12) {
	case 0:
		other, ok := m.make(m.template("root", true, false), m.key(true), nil)
		if !ok {
			return verdict{}, false
		}
		trusted = []*made{other}
		if m.chance(50) {
			trusted = append(trusted, root)
		}
	case 1:
		trusted = []*made{leaf}
	case 2:
		trusted = []*made{chain[len(chain)-1]}
	}
	if leaf.template.Issuer.CommonName == "" && m.chance(30) {
		trusted = append(trusted, leaf)
	}
	for _, certificate := range trusted {
		one.Roots = append(one.Roots, certificate.der)
	}
	for _, certificate := range presented {
		one.Chain = append(one.Chain, certificate.der)
	}
	one.judge()
	return one, true
}

func fitting(t *x509.Certificate, other string) string {
	for _, address := range t.IPAddresses {
		return address.String()
	}
	for _, name := range t.DNSNames {
		if name[0] == '*' {
			return "x" + name[1:]
		}
		return strings.TrimSuffix(name, ".")
	}
	return other
}

// As crypto/tls does for a client (handshake_client.go, verifyServerCertificate).
func (one *verdict) judge() {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, der := range one.Roots {
		if certificate, err := x509.ParseCertificate(der); err == nil {
			roots.AddCert(certificate)
		}
	}
	var own *x509.Certificate
	for index, der := range one.Chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			one.Why = err.Error()
			return
		}
		if index == 0 {
			own = certificate
		} else {
			between.AddCert(certificate)
		}
	}
	_, err := own.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: one.Host, CurrentTime: now})
	one.Accepted = err == nil
	if err != nil {
		one.Why = err.Error()
	}
}
