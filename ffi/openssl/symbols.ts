/**
 * The functions of OpenSSL 3 that are called, with their C types, and the constants that its headers define as macros.
 *
 * Limits: only what all of OpenSSL 3.0 and later export; nothing that is optional at build time. `long` and pointers are 64
 * bits wide (x86_64 and aarch64). A `buffer` is only read or written during the call.
 *
 * @module
 */

/** Functions of libcrypto. */
export const CRYPTO_SYMBOLS = {
  OpenSSL_version: { parameters: ["i32"], result: "pointer" },
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_get_error: { parameters: [], result: "u64" },
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  // Memory streams
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  // Certificates and keys
  PEM_read_bio_X509: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "pointer" },
  PEM_read_bio_PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "buffer"],
    result: "pointer",
  },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  X509_free: { parameters: ["pointer"], result: "void" },
  d2i_X509: { parameters: ["pointer", "buffer", "i64"], result: "pointer" },
  i2d_X509: { parameters: ["pointer", "buffer"], result: "i32" },
  X509_get_X509_PUBKEY: { parameters: ["pointer"], result: "pointer" },
  i2d_X509_PUBKEY: { parameters: ["pointer", "buffer"], result: "i32" },
  X509_get_subject_name: { parameters: ["pointer"], result: "pointer" },
  X509_get_issuer_name: { parameters: ["pointer"], result: "pointer" },
  X509_get0_notBefore: { parameters: ["pointer"], result: "pointer" },
  X509_get0_notAfter: { parameters: ["pointer"], result: "pointer" },
  X509_get_ext_d2i: { parameters: ["pointer", "i32", "pointer", "pointer"], result: "pointer" },
  X509_NAME_print_ex: { parameters: ["pointer", "pointer", "i32", "u64"], result: "i32" },
  ASN1_TIME_to_tm: { parameters: ["pointer", "buffer"], result: "i32" },
  GENERAL_NAME_print: { parameters: ["pointer", "pointer"], result: "i32" },
  GENERAL_NAMES_free: { parameters: ["pointer"], result: "void" },
  OPENSSL_sk_new_null: { parameters: [], result: "pointer" },
  OPENSSL_sk_push: { parameters: ["pointer", "pointer"], result: "i32" },
  OPENSSL_sk_num: { parameters: ["pointer"], result: "i32" },
  OPENSSL_sk_value: { parameters: ["pointer", "i32"], result: "pointer" },
  OPENSSL_sk_free: { parameters: ["pointer"], result: "void" },
  // Verification
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_STORE_CTX_new: { parameters: [], result: "pointer" },
  X509_STORE_CTX_free: { parameters: ["pointer"], result: "void" },
  X509_STORE_CTX_init: { parameters: ["pointer", "pointer", "pointer", "pointer"], result: "i32" },
  X509_STORE_CTX_set_default: { parameters: ["pointer", "buffer"], result: "i32" },
  X509_STORE_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  X509_STORE_CTX_get_error: { parameters: ["pointer"], result: "i32" },
  X509_verify_cert: { parameters: ["pointer"], result: "i32" },
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  X509_VERIFY_PARAM_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
  X509_VERIFY_PARAM_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  X509_VERIFY_PARAM_set_time: { parameters: ["pointer", "i64"], result: "void" },
  X509_VERIFY_PARAM_set1_host: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  X509_VERIFY_PARAM_set1_ip: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  // Ciphers
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_CIPHER_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_EncryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  EVP_EncryptUpdate: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Functions of libssl. */
export const SSL_SYMBOLS = {
  OPENSSL_init_ssl: { parameters: ["u64", "pointer"], result: "i32" },
  TLS_client_method: { parameters: [], result: "pointer" },
  TLS_server_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i64" },
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_CTX_get_security_level: { parameters: ["pointer"], result: "i32" },
  SSL_CTX_set_security_level: { parameters: ["pointer", "i32"], result: "void" },
  SSL_CTX_set_ciphersuites: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_set_num_tickets: { parameters: ["pointer", "usize"], result: "i32" },
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  SSL_CTX_set_default_verify_paths: { parameters: ["pointer"], result: "i32" },
  SSL_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_get_cert_store: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_alpn_select_cb: { parameters: ["pointer", "function", "pointer"], result: "void" },
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_check_private_key: { parameters: ["pointer"], result: "i32" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_set_bio: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_set_accept_state: { parameters: ["pointer"], result: "void" },
  SSL_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_select_next_proto: {
    parameters: ["pointer", "pointer", "buffer", "u32", "pointer", "u32"],
    result: "i32",
  },
  SSL_get0_alpn_selected: { parameters: ["pointer", "buffer", "buffer"], result: "void" },
  SSL_get_verify_result: { parameters: ["pointer"], result: "i64" },
  SSL_get_version: { parameters: ["pointer"], result: "pointer" },
  SSL_get1_peer_certificate: { parameters: ["pointer"], result: "pointer" },
  SSL_get_peer_cert_chain: { parameters: ["pointer"], result: "pointer" },
  SSL_get0_verified_chain: { parameters: ["pointer"], result: "pointer" },
  SSL_export_keying_material: {
    parameters: ["pointer", "buffer", "usize", "buffer", "usize", "buffer", "usize", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Commands of `SSL_CTX_ctrl` and `SSL_ctrl` (openssl/ssl.h). */
export const SSL_CTRL = {
  EXTRA_CHAIN_CERT: 14,
  MODE: 33,
  SET_SESS_CACHE_MODE: 44,
  SET_TLSEXT_HOSTNAME: 55,
  SET_GROUPS_LIST: 92,
  SET_MIN_PROTO_VERSION: 123,
  SET_MAX_PROTO_VERSION: 124,
} as const;

/** Option and mode bits of openssl/ssl.h. */
export const SSL_OPTION = {
  OP_NO_TICKET: 1n << 14n,
  OP_NO_COMPRESSION: 1n << 17n,
  OP_NO_RENEGOTIATION: 1n << 30n,
  OP_CIPHER_SERVER_PREFERENCE: 1n << 22n,
  MODE_NO_AUTO_CHAIN: 0x8n,
  MODE_RELEASE_BUFFERS: 0x10n,
} as const;

/** Results of `SSL_get_error` (openssl/ssl.h). */
export const SSL_ERROR = {
  SSL: 1,
  WANT_READ: 2,
  WANT_WRITE: 3,
  SYSCALL: 5,
  ZERO_RETURN: 6,
} as const;

/** Flags of openssl/x509_vfy.h and openssl/x509v3.h. */
export const X509_FLAG = {
  V_PARTIAL_CHAIN: 0x8_0000n,
  V_NO_CHECK_TIME: 0x20_0000n,
  CHECK_NO_PARTIAL_WILDCARDS: 0x4,
  CHECK_NEVER_CHECK_SUBJECT: 0x20,
} as const;

/** The version number of TLS 1.3 on the wire. */
export const TLS1_3_VERSION = 0x0304n;
