/**
 * The functions of OpenSSL 3 that are called, each with its prototype (<openssl/ssl.h>,
 * <openssl/x509v3.h>, <openssl/pem.h>, <openssl/evp.h>, <openssl/err.h>, <time.h>).
 *
 * `tests/system/ffi_prototypes_test.ts` compares the prototypes with the headers, and the types
 * with the prototypes. Limits: only what all of OpenSSL 3.0 and later export; nothing that is
 * optional at build time. `long` and pointers are 64 bits wide (x86_64 and aarch64). A `buffer` is
 * only read or written during the call.
 *
 * @module
 */

/** Functions of libcrypto. */
export const CRYPTO_SYMBOLS = {
  // const char *OpenSSL_version(int kind)
  OpenSSL_version: { parameters: ["i32"], result: "pointer" },
  // void ERR_clear_error(void)
  ERR_clear_error: { parameters: [], result: "void" },
  // unsigned long ERR_get_error(void)
  ERR_get_error: { parameters: [], result: "u64" },
  // const char *ERR_reason_error_string(unsigned long error)
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },

  // Memory streams
  // const BIO_METHOD *BIO_s_mem(void)
  BIO_s_mem: { parameters: [], result: "pointer" },
  // BIO *BIO_new(const BIO_METHOD *method)
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  // BIO *BIO_new_mem_buf(const void *content, int length)
  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  // int BIO_free(BIO *bio)
  BIO_free: { parameters: ["pointer"], result: "i32" },
  // int BIO_read(BIO *bio, void *data, int length)
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  // int BIO_write(BIO *bio, const void *data, int length)
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },

  // Certificates and keys
  // X509 *PEM_read_bio_X509(BIO *bio, X509 **into, pem_password_cb *ask, void *pass_phrase)
  PEM_read_bio_X509: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "pointer" },
  // EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **into, pem_password_cb *ask,
  //   void *pass_phrase)
  PEM_read_bio_PrivateKey: {
    parameters: ["pointer", "pointer", "pointer", "buffer"],
    result: "pointer",
  },
  // void EVP_PKEY_free(EVP_PKEY *key)
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  // void X509_free(X509 *certificate)
  X509_free: { parameters: ["pointer"], result: "void" },
  // X509 *d2i_X509(X509 **into, const unsigned char **place, long length)
  d2i_X509: { parameters: ["pointer", "buffer", "i64"], result: "pointer" },
  // int i2d_X509(const X509 *certificate, unsigned char **place)
  i2d_X509: { parameters: ["pointer", "buffer"], result: "i32" },
  // X509_PUBKEY *X509_get_X509_PUBKEY(const X509 *certificate)
  X509_get_X509_PUBKEY: { parameters: ["pointer"], result: "pointer" },
  // int i2d_X509_PUBKEY(const X509_PUBKEY *key, unsigned char **place)
  i2d_X509_PUBKEY: { parameters: ["pointer", "buffer"], result: "i32" },
  // X509_NAME *X509_get_subject_name(const X509 *certificate)
  X509_get_subject_name: { parameters: ["pointer"], result: "pointer" },
  // X509_NAME *X509_get_issuer_name(const X509 *certificate)
  X509_get_issuer_name: { parameters: ["pointer"], result: "pointer" },
  // const ASN1_TIME *X509_get0_notBefore(const X509 *certificate)
  X509_get0_notBefore: { parameters: ["pointer"], result: "pointer" },
  // const ASN1_TIME *X509_get0_notAfter(const X509 *certificate)
  X509_get0_notAfter: { parameters: ["pointer"], result: "pointer" },
  // void *X509_get_ext_d2i(const X509 *certificate, int nid, int *critical, int *index)
  X509_get_ext_d2i: { parameters: ["pointer", "i32", "pointer", "pointer"], result: "pointer" },
  // int X509_NAME_print_ex(BIO *bio, const X509_NAME *name, int indent, unsigned long flags)
  X509_NAME_print_ex: { parameters: ["pointer", "pointer", "i32", "u64"], result: "i32" },
  // int ASN1_TIME_to_tm(const ASN1_TIME *time, struct tm *tm)
  ASN1_TIME_to_tm: { parameters: ["pointer", "buffer"], result: "i32" },
  // int GENERAL_NAME_print(BIO *bio, GENERAL_NAME *name)
  GENERAL_NAME_print: { parameters: ["pointer", "pointer"], result: "i32" },
  // void GENERAL_NAMES_free(GENERAL_NAMES *names)
  GENERAL_NAMES_free: { parameters: ["pointer"], result: "void" },
  // OPENSSL_STACK *OPENSSL_sk_new_null(void)
  OPENSSL_sk_new_null: { parameters: [], result: "pointer" },
  // int OPENSSL_sk_push(OPENSSL_STACK *stack, const void *element)
  OPENSSL_sk_push: { parameters: ["pointer", "pointer"], result: "i32" },
  // int OPENSSL_sk_num(const OPENSSL_STACK *stack)
  OPENSSL_sk_num: { parameters: ["pointer"], result: "i32" },
  // void *OPENSSL_sk_value(const OPENSSL_STACK *stack, int index)
  OPENSSL_sk_value: { parameters: ["pointer", "i32"], result: "pointer" },
  // void OPENSSL_sk_free(OPENSSL_STACK *stack)
  OPENSSL_sk_free: { parameters: ["pointer"], result: "void" },

  // Verification
  // int X509_STORE_add_cert(X509_STORE *store, X509 *certificate)
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  // X509_STORE_CTX *X509_STORE_CTX_new(void)
  X509_STORE_CTX_new: { parameters: [], result: "pointer" },
  // void X509_STORE_CTX_free(X509_STORE_CTX *context)
  X509_STORE_CTX_free: { parameters: ["pointer"], result: "void" },
  // int X509_STORE_CTX_init(X509_STORE_CTX *context, X509_STORE *store, X509 *leaf,
  //   STACK_OF(X509) *others)
  X509_STORE_CTX_init: { parameters: ["pointer", "pointer", "pointer", "pointer"], result: "i32" },
  // int X509_STORE_CTX_set_default(X509_STORE_CTX *context, const char *purpose)
  X509_STORE_CTX_set_default: { parameters: ["pointer", "buffer"], result: "i32" },
  // X509_VERIFY_PARAM *X509_STORE_CTX_get0_param(const X509_STORE_CTX *context)
  X509_STORE_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  // int X509_STORE_CTX_get_error(const X509_STORE_CTX *context)
  X509_STORE_CTX_get_error: { parameters: ["pointer"], result: "i32" },
  // int X509_verify_cert(X509_STORE_CTX *context)
  X509_verify_cert: { parameters: ["pointer"], result: "i32" },
  // const char *X509_verify_cert_error_string(long error)
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  // int X509_VERIFY_PARAM_set_flags(X509_VERIFY_PARAM *parameters, unsigned long flags)
  X509_VERIFY_PARAM_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
  // void X509_VERIFY_PARAM_set_hostflags(X509_VERIFY_PARAM *parameters, unsigned int flags)
  X509_VERIFY_PARAM_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  // void X509_VERIFY_PARAM_set_time(X509_VERIFY_PARAM *parameters, time_t time)
  X509_VERIFY_PARAM_set_time: { parameters: ["pointer", "i64"], result: "void" },
  // int X509_VERIFY_PARAM_set1_host(X509_VERIFY_PARAM *parameters, const char *name, size_t length)
  X509_VERIFY_PARAM_set1_host: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  // int X509_VERIFY_PARAM_set1_ip(X509_VERIFY_PARAM *parameters, const unsigned char *address,
  //   size_t length)
  X509_VERIFY_PARAM_set1_ip: { parameters: ["pointer", "buffer", "usize"], result: "i32" },

  // Ciphers
  // EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *context, const char *name, const char *properties)
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  // void EVP_CIPHER_free(EVP_CIPHER *cipher)
  EVP_CIPHER_free: { parameters: ["pointer"], result: "void" },
  // EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void)
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  // void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context)
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  // int EVP_EncryptInit_ex(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, ENGINE *engine,
  //   const unsigned char *key, const unsigned char *iv)
  EVP_EncryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  // int EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written,
  //   const unsigned char *in, int length)
  EVP_EncryptUpdate: {
    parameters: ["pointer", "pointer", "pointer", "pointer", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Functions of libssl. */
export const SSL_SYMBOLS = {
  // int OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
  OPENSSL_init_ssl: { parameters: ["u64", "pointer"], result: "i32" },
  // const SSL_METHOD *TLS_client_method(void)
  TLS_client_method: { parameters: [], result: "pointer" },
  // const SSL_METHOD *TLS_server_method(void)
  TLS_server_method: { parameters: [], result: "pointer" },
  // SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  // void SSL_CTX_free(SSL_CTX *context)
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  // long SSL_CTX_ctrl(SSL_CTX *context, int command, long number, void *pointer)
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i64" },
  // uint64_t SSL_CTX_set_options(SSL_CTX *context, uint64_t options)
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  // int SSL_CTX_get_security_level(const SSL_CTX *context)
  SSL_CTX_get_security_level: { parameters: ["pointer"], result: "i32" },
  // void SSL_CTX_set_security_level(SSL_CTX *context, int level)
  SSL_CTX_set_security_level: { parameters: ["pointer", "i32"], result: "void" },
  // int SSL_CTX_set_ciphersuites(SSL_CTX *context, const char *suites)
  SSL_CTX_set_ciphersuites: { parameters: ["pointer", "buffer"], result: "i32" },
  // int SSL_CTX_set_num_tickets(SSL_CTX *context, size_t count)
  SSL_CTX_set_num_tickets: { parameters: ["pointer", "usize"], result: "i32" },
  // void SSL_CTX_set_verify(SSL_CTX *context, int mode, SSL_verify_cb callback)
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  // int SSL_CTX_set_default_verify_paths(SSL_CTX *context)
  SSL_CTX_set_default_verify_paths: { parameters: ["pointer"], result: "i32" },
  // X509_VERIFY_PARAM *SSL_CTX_get0_param(SSL_CTX *context)
  SSL_CTX_get0_param: { parameters: ["pointer"], result: "pointer" },
  // X509_STORE *SSL_CTX_get_cert_store(const SSL_CTX *context)
  SSL_CTX_get_cert_store: { parameters: ["pointer"], result: "pointer" },
  // int SSL_CTX_set_alpn_protos(SSL_CTX *context, const unsigned char *protocols,
  //   unsigned int length)
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  // void SSL_CTX_set_alpn_select_cb(SSL_CTX *context, SSL_CTX_alpn_select_cb_func callback,
  //   void *argument)
  SSL_CTX_set_alpn_select_cb: { parameters: ["pointer", "function", "pointer"], result: "void" },
  // int SSL_CTX_use_certificate(SSL_CTX *context, X509 *certificate)
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  // int SSL_CTX_use_PrivateKey(SSL_CTX *context, EVP_PKEY *key)
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  // int SSL_CTX_check_private_key(const SSL_CTX *context)
  SSL_CTX_check_private_key: { parameters: ["pointer"], result: "i32" },
  // SSL *SSL_new(SSL_CTX *context)
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  // void SSL_free(SSL *ssl)
  SSL_free: { parameters: ["pointer"], result: "void" },
  // void SSL_set_bio(SSL *ssl, BIO *input, BIO *output)
  SSL_set_bio: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  // void SSL_set_connect_state(SSL *ssl)
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  // void SSL_set_accept_state(SSL *ssl)
  SSL_set_accept_state: { parameters: ["pointer"], result: "void" },
  // long SSL_ctrl(SSL *ssl, int command, long number, void *pointer)
  SSL_ctrl: { parameters: ["pointer", "i32", "i64", "buffer"], result: "i64" },
  // X509_VERIFY_PARAM *SSL_get0_param(SSL *ssl)
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  // int SSL_do_handshake(SSL *ssl)
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  // int SSL_get_error(const SSL *ssl, int result)
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  // int SSL_read(SSL *ssl, void *data, int length)
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  // int SSL_write(SSL *ssl, const void *data, int length)
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  // int SSL_shutdown(SSL *ssl)
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  // int SSL_select_next_proto(unsigned char **out, unsigned char *out_length,
  //   const unsigned char *server, unsigned int server_length, const unsigned char *client,
  //   unsigned int client_length)
  SSL_select_next_proto: {
    parameters: ["pointer", "pointer", "buffer", "u32", "pointer", "u32"],
    result: "i32",
  },
  // void SSL_get0_alpn_selected(const SSL *ssl, const unsigned char **protocol,
  //   unsigned int *length)
  SSL_get0_alpn_selected: { parameters: ["pointer", "buffer", "buffer"], result: "void" },
  // long SSL_get_verify_result(const SSL *ssl)
  SSL_get_verify_result: { parameters: ["pointer"], result: "i64" },
  // const char *SSL_get_version(const SSL *ssl)
  SSL_get_version: { parameters: ["pointer"], result: "pointer" },
  // X509 *SSL_get1_peer_certificate(const SSL *ssl)
  SSL_get1_peer_certificate: { parameters: ["pointer"], result: "pointer" },
  // STACK_OF(X509) *SSL_get_peer_cert_chain(const SSL *ssl)
  SSL_get_peer_cert_chain: { parameters: ["pointer"], result: "pointer" },
  // STACK_OF(X509) *SSL_get0_verified_chain(const SSL *ssl)
  SSL_get0_verified_chain: { parameters: ["pointer"], result: "pointer" },
  // int SSL_export_keying_material(SSL *ssl, unsigned char *out, size_t out_length,
  //   const char *label, size_t label_length, const unsigned char *context, size_t context_length,
  //   int use_context)
  SSL_export_keying_material: {
    parameters: ["pointer", "buffer", "usize", "buffer", "usize", "buffer", "usize", "i32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
