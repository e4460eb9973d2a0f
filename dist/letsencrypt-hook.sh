#!/bin/sh
# Gives ntpsd a certificate of Let's Encrypt, whose own folders are closed to all users but root.
#
#   install -m 755 dist/letsencrypt-hook.sh /usr/local/lib/ntpsd/letsencrypt-hook
#   certbot certonly -d time.example.net --deploy-hook /usr/local/lib/ntpsd/letsencrypt-hook
#
# certbot runs it after the first issue and after every renewal, as root, with the folder of the certificate in RENEWED_LINEAGE.
# It copies chain and key into /etc/ntpsd/tls, readable for the group of ntpsd, each replaced as a whole. ntpsd looks every
# half a minute and takes the new pair when both are there.
set -eu

folder=${NTPSD_TLS:-/etc/ntpsd/tls}
group=${NTPSD_GROUP:-ntpsd}
: "${RENEWED_LINEAGE:?certbot sets it for a deploy hook}"

install -d -o root -g "$group" -m 0750 -- "$folder"
for name in fullchain.pem privkey.pem; do
  new=$folder/.$name.new
  install -o root -g "$group" -m 0640 -- "$RENEWED_LINEAGE/$name" "$new"
  mv -f -- "$new" "$folder/$name"
done
