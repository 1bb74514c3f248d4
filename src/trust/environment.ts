/** Where the trust files are *inside the sandbox*. */
export type TrustPaths = {
  /** PEM: the system's roots and the run's authority */
  bundle: string;
  /** PEM: the run's authority alone */
  authority: string;
  /** PKCS #12 without a password */
  trustStore: string;
};

/**
 * The variables that make clients with their own idea of trusted roots trust the run's authority. Settings that
 * *replace* a client's roots get the bundle, those that *add* to them the authority alone.
 *
 * SSL_CERT_DIR stays unset on purpose: it would replace the directory the sandbox already has, and Go and OpenSSL
 * read their default directory beside SSL_CERT_FILE.
 */
export function trustEnvironment(paths: TrustPaths): Record<string, string> {
  return { ...replacing(paths.bundle), ...adding(paths.authority), ...java(paths.trustStore) };
}

function replacing(bundle: string): Record<string, string> {
  return {
    // OpenSSL, and with it Python's ssl, Ruby, PHP, .NET; Go; rustls-native-certs and uv.
    // https://docs.openssl.org/master/man3/SSL_CTX_load_verify_locations/ https://pkg.go.dev/crypto/x509#SystemCertPool
    SSL_CERT_FILE: bundle,
    // https://curl.se/docs/sslcerts.html
    CURL_CA_BUNDLE: bundle,
    // https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpsslCAInfo
    GIT_SSL_CAINFO: bundle,
    // https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    REQUESTS_CA_BUNDLE: bundle,
    // https://pip.pypa.io/en/stable/topics/https-certificates/
    PIP_CERT: bundle,
    // https://httplib2.readthedocs.io/en/latest/libhttplib2.html
    HTTPLIB2_CA_CERTS: bundle,
    // https://docs.npmjs.com/cli/using-npm/config#cafile, read by pnpm and Yarn 1 too
    npm_config_cafile: bundle,
    // https://doc.rust-lang.org/cargo/reference/config.html#httpcainfo
    CARGO_HTTP_CAINFO: bundle,
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html
    AWS_CA_BUNDLE: bundle,
    // https://docs.cloud.google.com/sdk/docs/properties: core/custom_ca_certs_file
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: bundle,
    // https://grpc.github.io/grpc/core/md_doc_environment_variables.html
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundle,
    // https://bundler.io/man/bundle-config.1.html: ssl_ca_cert
    BUNDLE_SSL_CA_CERT: bundle,
    // https://getcomposer.org/doc/06-config.md#cafile
    COMPOSER_CAFILE: bundle,
    // https://hexdocs.pm/hex/Mix.Tasks.Hex.Config.html: cacerts_path
    HEX_CACERTS_PATH: bundle,
    // https://metacpan.org/pod/LWP::UserAgent
    PERL_LWP_SSL_CA_FILE: bundle,
    // https://nix.dev/manual/nix/latest/installation/env-variables.html
    NIX_SSL_CERT_FILE: bundle,
    // https://docs.julialang.org/en/v1/stdlib/NetworkOptions/
    JULIA_SSL_CA_ROOTS_PATH: bundle,
  };
}

function adding(authority: string): Record<string, string> {
  return {
    // https://nodejs.org/api/cli.html#node_extra_ca_certsfile; Bun and Deno 2.8 read it too
    NODE_EXTRA_CA_CERTS: authority,
    // https://docs.deno.com/runtime/reference/env_variables/
    DENO_CERT: authority,
    DENO_TLS_CA_STORE: 'system,mozilla',
    // https://docs.astral.sh/uv/concepts/authentication/certificates; the second is the name before it
    UV_SYSTEM_CERTS: 'true',
    UV_NATIVE_TLS: 'true',
  };
}

function java(trustStore: string): Record<string, string> {
  return {
    // The one setting every JVM since 5 reads, whoever starts it; the JVM says so on stderr ("Picked up
    // JAVA_TOOL_OPTIONS"), which cannot be turned off. JDKs with their own cacerts need it.
    // https://docs.oracle.com/en/java/javase/21/security/java-secure-socket-extension-jsse-reference-guide.html
    JAVA_TOOL_OPTIONS: `-Djavax.net.ssl.trustStore=${trustStore} -Djavax.net.ssl.trustStoreType=PKCS12`,
  };
}
