#!/usr/bin/env bash
# A cluster on one machine: N hosts behind a switch, each with a name, an address and a network link of
# its own, and COMMAND with one MPI rank on each. For seeing weft cross a network, and lose a host.
#
#   scripts/cluster_lab.sh [OPTION...] N BANDWIDTH LATENCY -- COMMAND...
#
#   N                    hosts, 1 to 200: node1 (10.77.0.1), node2, ...; mpirun runs on node1
#   BANDWIDTH            of each host's link, each way: 1gbit, 200mbit; 0: no limit
#   LATENCY              one way, between any two hosts: 0.1ms, 50us; 0: none added
#
#   --ranks-per-host R   instead of 1
#   --cpus-per-host C    hosts take C of this machine's CPUs each, by turns, instead of all of them
#   --kill-host K        kills all processes of host K after some seconds; its kernel still closes
#                        their connections
#   --unplug-host K      pulls the cable of host K instead: its peers hear nothing more of it
#   --after S            when, in seconds (10)
#   --mpirun PROGRAM     Open MPI's or MPICH's, instead of the mpirun in PATH
#   --no-mpirun          runs COMMAND once, on node1, where a plain mpirun finds all hosts;
#                        "$LAB_ON" node2 ... runs something on a host, "$LAB_KILL" 2 and
#                        "$LAB_UNPLUG" 2 lose one
#
# For example:  scripts/cluster_lab.sh 4 1gbit 0.1ms -- build/weft train --data my.txt --out runs/lab
#
# The exit status is the command's; 2 for wrong usage; 77 (skipped), with the reason, where the kernel
# does not allow this. It takes iproute2, and root or unprivileged user namespaces. A kernel without
# netem adds no latency: then a warning says so. Links carry 93 to 96 % of BANDWIDTH as data, up to what
# the machine's CPUs can move: two of them 3 Gbit/s.
#
# Hosts are network and UTS namespaces, inside network, mount, PID and IPC namespaces of the lab's own:
# the machine's network is not touched, labs run side by side, and when a lab ends, be it by SIGKILL,
# the kernel ends every process in it and takes away the rest. Hosts share CPUs, memory and files.
# Between hosts MPI has TCP alone. SIGKILL leaves a directory with one small file in TMPDIR.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

script=$(realpath "${BASH_SOURCE[0]}")
skipped=77
mtu=9000
grace_s=30  # from SIGINT, SIGTERM or SIGHUP to the end: time to save

# ---- What was asked for

ranks_per_host=1 cpus_per_host=0 loss='' lost_host=0 loss_after_s=10 mpirun=mpirun

usage_error() {
  echo "cluster_lab: $*; --help explains" >&2
  exit 2
}

skip() {
  echo "cluster_lab: skipped: $*" >&2
  exit "$skipped"
}

parse_arguments() {
  while [[ ${1-} == --* ]]; do
    case $1 in
      --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$script" && exit 0 ;;
      --no-mpirun) mpirun='' && shift && continue ;;
      --*) (($# > 1)) || usage_error "$1 needs a value" ;;
    esac
    case $1 in
      --ranks-per-host) ranks_per_host=$2 ;;
      --cpus-per-host) cpus_per_host=$2 ;;
      --kill-host) loss=kill lost_host=$2 ;;
      --unplug-host) loss=unplug lost_host=$2 ;;
      --after) loss_after_s=$2 ;;
      --mpirun) mpirun=$2 ;;
      *) usage_error "unknown option $1" ;;
    esac
    shift 2
  done
  [[ $# -ge 5 && $4 == -- ]] || usage_error "expected N BANDWIDTH LATENCY -- COMMAND"
  hosts=$1 bandwidth=$2 latency=$3 command=("${@:5}")
}

is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,4})$ ]] && (($1 >= $2 && $1 <= $3)); }

# in_units 0.1ms us 1 ms 1000: 100. 0 needs no unit.
in_units() {
  awk -v text="$1" -v units="${*:2}" 'BEGIN {
    if (text == "0") { print 0; exit }
    if (!match(text, /^[0-9]+(\.[0-9]+)?/)) exit 1
    for (n = split(units, word, " "); n > 0; n -= 2) {
      if (word[n - 1] != substr(text, RLENGTH + 1)) continue
      printf "%.0f\n", substr(text, 1, RLENGTH) * word[n]
      exit
    }
    exit 1
  }'
}

check_arguments() {
  is_number "$hosts" 1 200 || usage_error "N is 1 to 200, not $hosts"
  is_number "$ranks_per_host" 1 1000 || usage_error "--ranks-per-host $ranks_per_host"
  is_number "$cpus_per_host" 0 10000 || usage_error "--cpus-per-host $cpus_per_host"
  [[ -z $loss ]] || is_number "$lost_host" 1 "$hosts" || usage_error "there is no host $lost_host"
  [[ $loss_after_s =~ ^[0-9]+(\.[0-9]+)?$ ]] || usage_error "--after $loss_after_s"
  bits_per_s=$(in_units "$bandwidth" kbit 1e3 mbit 1e6 gbit 1e9) ||
    usage_error "BANDWIDTH is like 1gbit or 200mbit, or 0, not $bandwidth"
  latency_us=$(in_units "$latency" us 1 ms 1e3 s 1e6) ||
    usage_error "LATENCY is like 0.1ms or 50us, or 0, not $latency"
}

# ---- Outside: what ends the lab, whatever happens

run_lab() {
  local program
  for program in ip tc unshare nsenter setpriv taskset $mpirun; do
    command -v "$program" >/dev/null || skip "there is no $program (Debian: iproute2, util-linux)"
  done
  local enter=(unshare --mount --net --pid --ipc --fork --kill-child)
  if ! "${enter[@]}" true 2>/dev/null; then enter+=(--user --map-root-user); fi
  "${enter[@]}" true 2>/dev/null ||
    skip "no namespaces: they take root with CAP_SYS_ADMIN, or unprivileged user namespaces"

  directory=$(mktemp -d "${TMPDIR:-/tmp}/cluster_lab.XXXXXX")
  trap 'rm -rf -- "$directory"' EXIT
  if [[ -t 0 ]]; then exec </dev/null; fi  # a job in the background cannot read a terminal
  # The kernel kills unshare when this shell dies, and everything in the lab when unshare does.
  set -m  # a job whose SIGINT is not ignored
  setpriv --pdeathsig KILL "${enter[@]}" bash "$script" --inside "$directory" "$@" &
  set +m
  wait_for $! pass_on
}

# To the lab's first process, by the number that this shell knows.
# shellcheck disable=SC2317  # traps call it
pass_on() {
  if [[ -s $directory/pid ]]; then kill -s "$1" "$(<"$directory/pid")" 2>/dev/null || true; fi
}

# wait_for PID HANDLER: exits as PID does. Calls HANDLER with the name of each signal until then.
wait_for() {
  local signal status interrupted=1
  for signal in INT TERM HUP USR1 USR2; do
    # shellcheck disable=SC2064  # this turn's values
    trap "interrupted=1; $2 $signal" "$signal"
  done
  while ((interrupted)); do  # a signal ends `wait`, too
    interrupted=0 status=0
    wait "$1" 2>/dev/null || status=$?
  done
  exit "$status"
}

# ---- Inside: the switch, the hosts, and what MPI has to know

run_inside() {
  local number rest
  read -r number rest </proc/self/stat  # the machine's /proc still: the number it has there
  echo "$number" >"$1/pid"
  mount --make-rprivate /
  mount -t proc proc /proc
  mount -t tmpfs lab "$1"
  mount -t tmpfs shm /dev/shm  # names in it would meet those of another lab
  lab=$1
  mkdir "$lab"/{net,uts,cpus,bin,tmp}

  make_switch
  local k
  for ((k = 1; k <= hosts; ++k)); do make_host "$k"; done
  write_hosts_files
  write_tools
  tell_mpi
  describe
  run_command
}

make_switch() {
  touch "$lab/net/switch"
  mount --bind /proc/self/ns/net "$lab/net/switch"
  use_ipv4_alone
  ip link set lo up
  ip link add switch type bridge || skip "the kernel has no bridge device"
  ip link set switch up
}

use_ipv4_alone() {
  local conf=/proc/sys/net/ipv6/conf
  if [[ -d $conf ]]; then echo 1 | tee $conf/all/disable_ipv6 $conf/default/disable_ipv6 >/dev/null; fi
}

# A host's link: eth0 there, portK of the switch here. Each end limits what it sends. Frames are as
# large as those of cluster networks: the machine's CPUs have a sixth of the packets to handle.
make_host() {
  local node=node$1
  local net=$lab/net/$node uts=$lab/uts/$node
  touch "$net" "$uts"
  unshare --net="$net" --uts="$uts" bash -c "$(declare -f use_ipv4_alone)
    use_ipv4_alone; hostname $node"
  ip link add "port$1" type veth peer name eth0 netns "$net" || skip "the kernel has no veth device"
  ip link set "port$1" mtu "$mtu" master switch up
  nsenter --net="$net" ip link set lo up
  nsenter --net="$net" ip address add "10.77.0.$1/24" dev eth0
  nsenter --net="$net" ip link set eth0 mtu "$mtu" up
  limit_bandwidth "$lab/net/switch" "port$1"
  limit_bandwidth "$net" eth0
  add_latency "$net" eth0
  cpus_of "$1" >"$lab/cpus/$node"
}

# A token bucket that holds a millisecond of the rate, or two frames, and a queue of 100 ms.
limit_bandwidth() {
  ((bits_per_s > 0)) || return 0
  local burst=$((bits_per_s / 8000))
  nsenter --net="$1" tc qdisc add dev "$2" root handle 1: tbf rate "${bits_per_s}bit" \
    burst $((burst > 2 * mtu ? burst : 2 * mtu)) latency 100ms 2>"$lab/why" ||
    skip "no limit of bandwidth: $(head -n 1 "$lab/why")"
}

# In front of the token bucket, where there is one. Every path has one such end.
add_latency() {
  ((latency_us > 0)) || return 0
  local place=root
  if ((bits_per_s > 0)); then place='parent 1:1'; fi
  # shellcheck disable=SC2086  # one word or two
  nsenter --net="$1" tc qdisc add dev "$2" $place handle 2: netem delay "${latency_us}us" limit 100000 \
    2>"$lab/why" || no_latency="the kernel adds no latency (netem: $(head -n 1 "$lab/why"))"
}

# This machine's CPUs that host K uses: "0,1".
cpus_of() {
  local list range cpus=()
  list=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  for range in ${list//,/ }; do
    mapfile -t -O ${#cpus[@]} cpus < <(seq "${range%-*}" "${range#*-}")
  done
  local n=${#cpus[@]} i chosen=()
  for ((i = 0; i < cpus_per_host && i < n; ++i)); do
    chosen+=("${cpus[(($1 - 1) * cpus_per_host + i) % n]}")
  done
  if ((cpus_per_host == 0)); then chosen=("${cpus[@]}"); fi
  (IFS=, && echo "${chosen[*]}")
}

write_hosts_files() {
  local k
  echo "127.0.0.1 localhost" >"$lab/hosts"
  for ((k = 1; k <= hosts; ++k)); do
    echo "10.77.0.$k node$k" >>"$lab/hosts"
    echo "node$k slots=$ranks_per_host" >>"$lab/hosts.openmpi"
    echo "node$k:$ranks_per_host" >>"$lab/hosts.mpich"
  done
  mount --bind "$lab/hosts" /etc/hosts
}

write_tools() {
  write_tool on <<'TOOL'
# on NODE COMMAND...: runs it there.
exec nsenter --net="$lab/net/$1" --uts="$lab/uts/$1" taskset --cpu-list "$(<"$lab/cpus/$1")" "${@:2}"
TOOL
  write_tool rsh <<'TOOL'
# rsh [-OPTION...] NODE WORD...: what MPI takes for ssh.
while [[ $1 == -* ]]; do shift; done
exec "$lab/bin/on" "$1" sh -c "${*:2}"
TOOL
  write_tool kill <<'TOOL'
# kill K: until no process of the host is left.
[[ ${outside-} ]] || outside=1 exec nsenter --net="$lab/net/switch" "$0" "$@"
host=$(stat -Lc %i "$lab/net/node$1")
left=1
while ((left)); do
  left=0
  for process in /proc/[0-9]*; do
    [[ $(stat -Lc %i "$process/ns/net" 2>/dev/null) == "$host" ]] || continue
    kill -KILL "${process#/proc/}" 2>/dev/null
    left=1
  done
  sleep 0.05
done
TOOL
  write_tool unplug <<'TOOL'
# unplug K: the switch's end goes down.
exec nsenter --net="$lab/net/switch" ip link set "port$1" down
TOOL
  export LAB_ON=$lab/bin/on LAB_KILL=$lab/bin/kill LAB_UNPLUG=$lab/bin/unplug
}

write_tool() {
  { printf '#!/usr/bin/env bash\nlab=%q\n' "$lab" && cat; } >"$lab/bin/$1"
  chmod +x "$lab/bin/$1"
}

# By environment, so that every mpirun in the lab knows it. Ranks are not bound: CPUs are shared.
tell_mpi() {
  local processes=$((hosts * ranks_per_host)) shared_memory=
  if ((ranks_per_host > 1)); then shared_memory=,vader; fi
  export OMPI_MCA_plm=rsh OMPI_MCA_plm_rsh_agent=$lab/bin/rsh OMPI_MCA_pml=ob1
  export OMPI_MCA_btl=tcp,self$shared_memory OMPI_MCA_btl_tcp_if_include=eth0
  export OMPI_MCA_oob_tcp_if_include=eth0 OMPI_MCA_orte_default_hostfile=$lab/hosts.openmpi
  export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_orte_tmpdir_base=$lab/tmp
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  if ((processes > $(nproc))); then export OMPI_MCA_mpi_yield_when_idle=1; fi
  export HYDRA_LAUNCHER=ssh HYDRA_LAUNCHER_EXEC=$lab/bin/rsh HYDRA_HOST_FILE=$lab/hosts.mpich
  export HYDRA_IFACE=eth0 FI_PROVIDER=tcp FI_TCP_IFACE=eth0 UCX_TLS=tcp,self UCX_NET_DEVICES=eth0
}

describe() {
  local bandwidth_said="$bandwidth each way" latency_said="$latency one way"
  if ((bits_per_s == 0)); then bandwidth_said="bandwidth not limited"; fi
  if ((latency_us == 0)); then latency_said="no latency added"; fi
  if [[ -n ${no_latency-} ]]; then
    latency_said="no latency added"
    echo "cluster_lab: WARNING: $no_latency" >&2
  fi
  echo "cluster_lab: $hosts hosts, $bandwidth_said, $latency_said" >&2
}

run_command() {
  if [[ -n $mpirun ]]; then
    command=("$mpirun" -np $((hosts * ranks_per_host)) "${command[@]}")
  fi
  set -m
  "$lab/bin/on" node1 "${command[@]}" &
  job=$!
  set +m
  if [[ -n $loss ]]; then lose_host & fi
  wait_for "$job" pass_to_command
}

lose_host() {
  sleep "$loss_after_s"
  echo "cluster_lab: $loss node$lost_host" >&2
  "$lab/bin/$loss" "$lost_host"
}

# As a terminal does it: Ctrl-C to the whole job. What asks for an end gets one after the grace.
# shellcheck disable=SC2317  # traps call it
pass_to_command() {
  if [[ $1 == INT ]]; then kill -s INT -- "-$job"; else kill -s "$1" "$job"; fi 2>/dev/null || true
  if [[ $1 != USR* ]]; then { sleep "$grace_s" && kill -KILL -- "-$job"; } & fi
}

if [[ ${1-} == --inside ]]; then
  parse_arguments "${@:3}"
  check_arguments
  run_inside "$2"
else
  parse_arguments "$@"
  check_arguments
  run_lab "$@"
fi
