// Client-Cert (RFC 9440): the DER of a verified client certificate as a byte sequence of structured fields (RFC 8941).
// PEM is base64 of DER between two lines.
function header(request) {
  const pem = request.variables.ssl_client_raw_cert;
  if (request.variables.ssl_client_verify !== 'SUCCESS' || !pem) {
    return '';
  }
  return ':' + pem.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '') + ':';
}

export default { header };
