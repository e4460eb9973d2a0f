#!/bin/busybox sh
# Started by the kernel of the test machine: mounts the host's root, never to be changed, under a layer in memory, the folder of
# the test as /machine, and starts the root's own init or the agent alone.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
while read -r module; do $b insmod "/modules/$module"; done </modules.order

nine=trans=virtio,version=9p2000.L,msize=262144
$b mount -t 9p -o "$nine,ro,cache=loose" root /lower
$b mount -t tmpfs -o size=75% upper /upper
$b mkdir /upper/changes /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/changes,workdir=/upper/work overlay /root
$b mkdir -p /root/machine /root/proc /root/sys /root/dev /root/run /root/lib/modules
$b mount -t 9p -o "$nine" machine /root/machine
$b mount -t tmpfs -o mode=755 none /root/run
$b mount -t tmpfs -o mode=755 none /root/lib/modules
$b mkdir -p "/root/lib/modules/$($b uname -r)"
$b mount -t 9p -o "$nine,ro,cache=loose" modules "/root/lib/modules/$($b uname -r)"
$b cp $b /root/bin/busybox
for folder in proc sys dev; do $b mount --move "/$folder" "/root/$folder"; done
exec $b switch_root /root /bin/sh /machine/start.sh </root/dev/ttyS0 >/root/dev/ttyS0 2>&1
