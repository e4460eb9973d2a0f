#!/bin/sh
# Becomes systemd, with few units beside those that a test installs: the agent, the bus, the journal and sysusers.
rm -rf /etc/systemd/system/*
mkdir -p /etc/systemd/system/machine.target.wants
cat >/etc/systemd/system/machine.target <<END
[Unit]
Description=The machine of a test
Requires=basic.target
After=basic.target
AllowIsolate=yes
END
cat >/etc/systemd/system/agent.service <<END
[Unit]
Description=Runs the scripts of a test
DefaultDependencies=no
After=dbus.socket systemd-journald.socket
[Service]
Environment=PATH=$PATH
ExecStart=/bin/sh /machine/agent.sh
KillMode=process
TasksMax=infinity
END
ln -s ../agent.service /etc/systemd/system/machine.target.wants/agent.service
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-tmpfiles-setup.service systemd-tmpfiles-setup-dev.service systemd-tmpfiles-clean.timer systemd-remount-fs.service \
  systemd-modules-load.service systemd-binfmt.service systemd-hwdb-update.service ldconfig.service \
  systemd-machine-id-commit.service systemd-firstboot.service systemd-pstore.service systemd-sysctl.service \
  systemd-random-seed.service systemd-update-done.service systemd-update-utmp.service systemd-journal-flush.service \
  keyboard-setup.service console-setup.service networking.service apparmor.service ifupdown-pre.service \
  systemd-journal-catalog-update.service kmod-static-nodes.service; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
rm -f /.dockerenv
: >/etc/fstab
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
exec /lib/systemd/systemd --unit=machine.target --show-status=no --log-target=journal
