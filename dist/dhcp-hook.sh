#!/bin/sh
# Makes sources of the NTP servers that DHCP names, one file for each interface, which ntpsd includes:
#
#   include = ["/run/ntpsd-dhcp/*.toml"]        (before the first section of /etc/ntpsd/ntpsd.toml)
#
# It knows NetworkManager and dhclient, which run it as root when a lease comes, changes or ends:
#
#   install -m 755 dist/dhcp-hook.sh /etc/NetworkManager/dispatcher.d/20-ntpsd
#   install -m 644 dist/dhcp-hook.sh /etc/dhcp/dhclient-exit-hooks.d/ntpsd
#
# It takes the servers of DHCPv6 from NetworkManager alone.
# What DHCP says is not authenticated: only numeric addresses are taken, and beside authenticated sources they outvote nobody.
# dhclient reads this file into its own shell, hence the parentheses.
(
  set -u
  if [ -n "${reason-}" ]; then
    name=${interface-}
    case $reason in
      BOUND | RENEW | REBIND | REBOOT | TIMEOUT) servers=${new_ntp_servers-} ;;
      EXPIRE | FAIL | RELEASE | STOP) servers= ;;
      *) exit 0 ;;
    esac
  else
    name=${1-}
    case ${2-} in
      up | dhcp4-change | dhcp6-change) servers="${DHCP4_NTP_SERVERS-} ${DHCP6_DHCP6_NTP_SERVERS-}" ;;
      down) servers= ;;
      *) exit 0 ;;
    esac
  fi
  case $name in
    '' | .* | *[!A-Za-z0-9_.:@-]*) exit 0 ;;
  esac

  ntpsd=${NTPSD:-/usr/local/bin/ntpsd}
  if ! $ntpsd version >/dev/null; then
    echo "dhcp-hook: $ntpsd does not run, so the servers of DHCP stay as they are" >&2
    exit 0
  fi
  folder=${NTPSD_DHCP:-/run/ntpsd-dhcp}
  file=$folder/$name.toml new=$folder/.$name.$$.new one=$folder/.$name.$$.one
  umask 022
  mkdir -p -- "$folder" && : >"$new" || exit 0
  set -f
  for server in $servers; do
    case $server in
      *[!0-9A-Fa-f.:]*) continue ;;
      *:*:*) ;;
      *[!0-9.]*) continue ;;
    esac
    printf '[[source]]\nmode = "server"\naddress = "%s"\n' "$server" >"$one"
    # One address that ntpsd does not take must not keep it from all others.
    if $ntpsd check "$one" >/dev/null 2>&1; then cat -- "$one" >>"$new"; fi
  done
  rm -f -- "$one"

  [ -s "$new" ] || rm -f -- "$new"
  if cmp -s -- "$new" "$file"; then
    rm -f -- "$new"
    exit 0
  fi
  if [ -e "$new" ]; then mv -f -- "$new" "$file"
  elif [ -e "$file" ]; then rm -f -- "$file"
  else exit 0
  fi
  ${NTPSD_RELOAD:-systemctl try-reload-or-restart ntpsd.service}
)
