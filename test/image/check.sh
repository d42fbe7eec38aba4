#!/usr/bin/env bash
# Builds the image with buildah on a base made here (Debian and the Node of package.json), looks into it, and runs it as its user on
# a read-only root: `npm run image:check`. As root on Debian: apt-get install buildah debootstrap.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
keep=${IMAGE_BASE_DIR:-}
root=
sandbox=
cleanup() {
	[ -z "$sandbox" ] || kill "$sandbox" 2>/dev/null || true
	[ -z "$root" ] || buildah rm ecs-access-check >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT
step() { printf '\n== %s\n' "$1"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

step "a base: Debian and Node $(node_modules/.bin/node --version)"
base=${keep:-$work/base}
if [ ! -e "$base/usr/local/bin/npm" ]; then
	[ -d "$base/etc" ] || debootstrap --variant=minbase --include=ca-certificates bookworm "$base" >/dev/null
	cp node_modules/node/bin/node "$base/usr/local/bin/node"
	mkdir -p "$base/usr/local/lib/node_modules"
	cp -rL "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$base/usr/local/lib/node_modules/npm"
	ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
	# Whatever this machine trusts, the build must trust.
	cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
	mkdir -p "$base/usr/local/etc"
	printf 'cafile=/etc/ssl/certs/ca-certificates.crt\n' >"$base/usr/local/etc/npmrc"
	cp -L /etc/apt/sources.list "$base/etc/apt/" 2>/dev/null || true
fi
empty=$(buildah from scratch)
buildah copy -q "$empty" "$base" / >/dev/null
buildah commit -q "$empty" localhost/ecs-access-base >/dev/null
buildah rm "$empty" >/dev/null

step "build"
buildah build -q --isolation chroot --format docker --build-arg BASE=localhost/ecs-access-base -t localhost/ecs-access . >/dev/null

step "what is in it"
buildah from -q --name ecs-access-check localhost/ecs-access >/dev/null
root=$(buildah mount ecs-access-check)
size=$(tar -C "$root" -cf - . 2>/dev/null | gzip -6 | wc -c)
printf 'size: %d MB compressed, %d MB on disk\n' $((size / 1000000)) "$(du -sxm "$root" | cut -f1)"
[ "$size" -lt 200000000 ] || fail "200 MB or more"
config=$(buildah inspect --type image localhost/ecs-access)
said() { printf '%s' "$config" | node_modules/.bin/node -e "const c = JSON.parse(require('fs').readFileSync(0)).Docker.config; process.stdout.write(String($1))"; }
[ "$(said c.User)" = "10001:10001" ] || fail "it runs as $(said c.User)"
[ "$(said 'Object.keys(c.Volumes).sort().join()')" = "/tmp,/var/lib/ecs-access" ] || fail "volumes: $(said 'Object.keys(c.Volumes)')"
[ -n "$(said 'c.Healthcheck.Test.join()')" ] || fail "no health check"
[ -z "$(find "$root" -xdev -perm /6000 -type f)" ] || fail "setuid: $(find "$root" -xdev -perm /6000 -type f)"
for gone in usr/local/bin/npm usr/local/bin/corepack usr/bin/gcc opt/ecs-access/node_modules/typescript opt/ecs-access/node_modules/.bin/vitest; do
	[ ! -e "$root/$gone" ] || fail "$gone is there"
done
for there in usr/bin/git usr/bin/ssh etc/ssl/certs/ca-certificates.crt usr/share/doc/ecs-access/sbom.cdx.json usr/share/doc/ecs-access/debian-packages.txt; do
	[ -e "$root/$there" ] || fail "$there is missing"
done
node_modules/.bin/node -e '
	const sbom = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
	const names = new Set(sbom.components.map((c) => c.group ? `${c.group}/${c.name}` : c.name));
	const missing = Object.keys(require("./package.json").dependencies).filter((d) => !names.has(d));
	if (missing.length > 0) throw new Error(`not in the SBOM: ${missing}`);
	console.log(`SBOM: ${sbom.bomFormat} ${sbom.specVersion}, ${sbom.components.length} packages`);
' "$root/usr/share/doc/ecs-access/sbom.cdx.json"

# As an engine would with --read-only: the root bound read-only, its two volumes writable, no rights.
inside() {
	unshare --mount --pid --fork bash -c '
		root=$1; shift
		mount --bind "$root" "$root" && mount -o remount,ro,bind "$root"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		mount -t tmpfs -o uid=10001,gid=10001,mode=0700 tmpfs "$root/var/lib/ecs-access"
		mount -t proc proc "$root/proc"
		mount --bind /dev "$root/dev"
		[ -z "${POLICIES:-}" ] || { mkdir "$root/tmp/work" && cp -r "$POLICIES" "$root/tmp/work/policies" && chown -R 10001 "$root/tmp/work"; }
		exec chroot --userspec=10001:10001 "$root" env -i HOME=/var/lib/ecs-access XDG_STATE_HOME=/var/lib/ecs-access PATH=/usr/local/bin:/usr/bin:/bin NODE_DISABLE_COMPILE_CACHE=1 $ENVIRONMENT sh -c "cd /tmp/work 2>/dev/null; exec \"\$@\"" sh "$@"
	' inside "$root" "$@"
}
program() { inside node /opt/ecs-access/dist/controller/main.js "$@"; }
export ENVIRONMENT="" POLICIES=""

step "--version"
[ "$(program --version)" = "$(node_modules/.bin/node -p 'require("./package.json").version')" ] || fail "another version"
inside sh -c 'touch /opt/ecs-access/x 2>/dev/null' && fail "the root can be written" || true
inside git --version
inside ssh -V

step "validate the example repository"
POLICIES=$PWD/policies program validate

step "run against the sandbox"
mkfifo "$work/told"
node_modules/.bin/node test/image/sandbox.ts "$work/access" >"$work/told" &
sandbox=$!
read -r ENVIRONMENT <"$work/told"
export ENVIRONMENT
POLICIES=$work/access program run --path policies --http 127.0.0.1:18080 --poll 1 2>"$work/log" &
running=$!
for _ in $(seq 100); do
	curl -fsS http://127.0.0.1:18080/readyz >"$work/ready" 2>/dev/null && break
	sleep 0.3
done
cat "$work/ready" || { cat "$work/log"; fail "it is not ready"; }
pkill -TERM -f '^node /opt/ecs-access/dist/controller/main.js run' || fail "it does not run"
wait "$running" && code=0 || code=$?
[ "$code" = 0 ] || [ "$code" = 130 ] || { cat "$work/log"; fail "it ended with $code"; }
printf '\nended with %s after SIGTERM\n' "$code"

step "the image holds"
