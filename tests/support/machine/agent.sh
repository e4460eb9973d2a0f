# Runs the scripts that the host names by number, a line each, side by side; says how each ended.
stty raw -echo </dev/ttyS1
exec 3<>/dev/ttyS1
echo ready >&3
while read -r number <&3; do
  {
    sh "/machine/$number.sh" >"/machine/$number.out" 2>&1 3>&- </dev/null
    echo "$number $?" >&3
  } &
done
