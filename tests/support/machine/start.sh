# The root of the test machine is there; brings up what every scenario needs, then starts systemd or the agent alone.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 none /dev/shm
ln -sf /proc/self/fd /dev/fd
echo ntpsd-machine >/proc/sys/kernel/hostname
busybox ip link set lo up
busybox ip addr add 10.0.2.15/24 dev eth0
busybox ip link set eth0 up
busybox ip route add default via 10.0.2.2
if [ -e /machine/shell ]; then
  install -m 755 /machine/ntpsd /machine/witness /usr/local/bin
  mkdir -p /etc/ntpsd /var/lib/ntpsd
  cp /machine/ntpsd.toml /etc/ntpsd
  busybox setsid busybox cttyhack sh -i
  exec busybox poweroff -f
fi
[ -e /machine/systemd ] && exec /machine/systemd
exec sh /machine/agent.sh
