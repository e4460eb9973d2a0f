/**
 * Constants of the headers of OpenSSL 3, under the names that they have there (<openssl/ssl.h>,
 * <openssl/x509v3.h>, <openssl/pem.h>, <openssl/err.h>); they are the same in all of its releases.
 *
 * @module
 */

/** Adds a certificate to the chain that a server shows. */
export const SSL_CTRL_EXTRA_CHAIN_CERT = 14;
/** Sets modes. */
export const SSL_CTRL_MODE = 33;
/** Sets what is kept for a resumption. */
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
/** Sets the name that a client asks for. */
export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
/** Sets the groups for the exchange of keys. */
export const SSL_CTRL_SET_GROUPS_LIST = 92;
/** Sets the oldest version of the protocol. */
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
/** Sets the newest version of the protocol. */
export const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
/** No session tickets. */
export const SSL_OP_NO_TICKET = 0x4000n;
/** No compression. */
export const SSL_OP_NO_COMPRESSION = 0x2_0000n;
/** The order of the server decides about the cipher suite. */
export const SSL_OP_CIPHER_SERVER_PREFERENCE = 0x40_0000n;
/** No renegotiation. */
export const SSL_OP_NO_RENEGOTIATION = 0x4000_0000n;
/** A server shows the chain that it was given, and looks for no other. */
export const SSL_MODE_NO_AUTO_CHAIN = 0x8n;
/** Buffers are given back while they are empty. */
export const SSL_MODE_RELEASE_BUFFERS = 0x10n;
/** Nothing is kept for a resumption. */
export const SSL_SESS_CACHE_OFF = 0n;
/** The certificate of the other side is verified. */
export const SSL_VERIFY_PEER = 1;
/** Result of SSL_get_error: more octets from the peer are needed. */
export const SSL_ERROR_WANT_READ = 2;
/** Result of SSL_get_error: octets for the peer are to be taken first. */
export const SSL_ERROR_WANT_WRITE = 3;
/** Result of SSL_get_error: the peer has closed the connection. */
export const SSL_ERROR_ZERO_RETURN = 6;
/** The callback has selected a protocol. */
export const SSL_TLSEXT_ERR_OK = 0;
/** The callback ends the handshake with an alert. */
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
/** Result of SSL_select_next_proto: both sides know a protocol. */
export const OPENSSL_NPN_NEGOTIATED = 1;
/** The version number of TLS 1.3 on the wire. */
export const TLS1_3_VERSION = 0x0304n;
/** OpenSSL frees nothing at the end of the process. */
export const OPENSSL_INIT_NO_ATEXIT = 0x8_0000n;
/** The text that `OpenSSL_version` gives of the version. */
export const OPENSSL_VERSION = 0;
/** A trusted certificate ends a chain also when it is not self-signed. */
export const X509_V_FLAG_PARTIAL_CHAIN = 0x8_0000n;
/** Dates are left unchecked. */
export const X509_V_FLAG_NO_CHECK_TIME = 0x20_0000n;
/** A wildcard stands for a whole label. */
export const X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 0x4;
/** The common name of the subject never counts. */
export const X509_CHECK_FLAG_NEVER_CHECK_SUBJECT = 0x20;
/** The alternative names of a certificate. */
export const NID_subject_alt_name = 85;
/** Names are written as RFC 2253 has it. */
export const XN_FLAG_RFC2253 = 0x0111_0317n;
/** The library of an error: PEM. */
export const ERR_LIB_PEM = 9;
/** The library of an error: SSL. */
export const ERR_LIB_SSL = 20;
/** There is no block of PEM. */
export const PEM_R_NO_START_LINE = 108;
/** Added to the number of an alert that the peer sent. */
export const SSL_AD_REASON_OFFSET = 1000;
/** Reason: no application protocol. */
export const SSL_R_NO_APPLICATION_PROTOCOL = 235;
/** Reason: unsupported protocol. */
export const SSL_R_UNSUPPORTED_PROTOCOL = 258;
/** Reason: no protocols available. */
export const SSL_R_NO_PROTOCOLS_AVAILABLE = 191;
/** Reason: wrong SSL version. */
export const SSL_R_WRONG_SSL_VERSION = 266;
/** Reason: the first record is not TLS. */
export const SSL_R_WRONG_VERSION_NUMBER = 267;
/** Reason: HTTPS proxy request. */
export const SSL_R_HTTPS_PROXY_REQUEST = 155;
/** Reason: HTTP request. */
export const SSL_R_HTTP_REQUEST = 156;
/** Reason: unexpected end of file while reading. */
export const SSL_R_UNEXPECTED_EOF_WHILE_READING = 294;
/** Reason: internal error. */
export const ERR_R_INTERNAL_ERROR = 0xc_0103;
/** Alert: bad certificate. */
export const SSL_AD_BAD_CERTIFICATE = 42;
/** Alert: certificate unknown. */
export const SSL_AD_CERTIFICATE_UNKNOWN = 46;
/** Alert: unknown authority. */
export const SSL_AD_UNKNOWN_CA = 48;
/** Alert: protocol version. */
export const SSL_AD_PROTOCOL_VERSION = 70;
/** Alert: no application protocol. */
export const SSL_AD_NO_APPLICATION_PROTOCOL = 120;
/** Verification: success. */
export const X509_V_OK = 0;
/** Verification: a certificate of the chain has no issuer. */
export const X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT = 2;
/** Verification: the signature cannot be read. */
export const X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE = 4;
/** Verification: the key of the issuer cannot be read. */
export const X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY = 6;
/** Verification: the signature is wrong. */
export const X509_V_ERR_CERT_SIGNATURE_FAILURE = 7;
/** Verification: too early. */
export const X509_V_ERR_CERT_NOT_YET_VALID = 9;
/** Verification: too late. */
export const X509_V_ERR_CERT_HAS_EXPIRED = 10;
/** Verification: self-signed, and not trusted. */
export const X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT = 18;
/** Verification: the root of the chain is not trusted. */
export const X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN = 19;
/** Verification: the issuer is not known. */
export const X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20;
/** Verification: nothing is there to verify the signature with. */
export const X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE = 21;
/** Verification: another name. */
export const X509_V_ERR_HOSTNAME_MISMATCH = 62;
/** Verification: another address. */
export const X509_V_ERR_IP_ADDRESS_MISMATCH = 64;
/** Verification: the key is too weak. */
export const X509_V_ERR_EE_KEY_TOO_SMALL = 66;
/** Verification: the key of an authority is too weak. */
export const X509_V_ERR_CA_KEY_TOO_SMALL = 67;
/** Verification: the digest of a signature is too weak. */
export const X509_V_ERR_CA_MD_TOO_WEAK = 68;
