# The controller: Node, git, openssh-client and CA certificates, and nothing else beside the program. Runs as a user without
# rights on a root file system that is read-only; writes to /tmp and to the state volume alone. See docs/container.md.
ARG BASE=docker.io/library/node:24-bookworm-slim@sha256:a9f5f7c91a432850b2a8a7797adf5eadb6c733ceed61167806cee7ea7fbc29df

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package runs a script of its own; what is compiled here is ours.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY controller ./controller
COPY crds ./crds
COPY policies/platform/permission-sets ./policies/platform/permission-sets
RUN node_modules/.bin/tsc -p tsconfig.build.json \
	&& npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
	# Left out as "dev", what is used both ways would be missing.
	&& npm pkg delete devDependencies \
	&& npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json

FROM ${BASE}
RUN apt-get update \
	&& apt-get install -y --no-install-recommends ca-certificates git openssh-client \
	&& rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc/* /usr/share/man/* \
	# Nothing is installed in a running container.
	&& rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
	# Nobody becomes root here.
	&& find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
	&& groupadd --gid 10001 ecs-access \
	&& useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ecs-access --shell /usr/sbin/nologin ecs-access \
	&& mkdir -p /opt/ecs-access /var/lib/ecs-access \
	&& chown 10001:10001 /var/lib/ecs-access \
	&& mkdir -p /usr/share/doc/ecs-access \
	&& dpkg-query --show --showformat='${Package} ${Version} ${Architecture}\n' > /usr/share/doc/ecs-access/debian-packages.txt
WORKDIR /opt/ecs-access
COPY --from=build /build/package.json ./package.json
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/crds ./crds
COPY --from=build /build/policies ./policies
COPY --from=build /build/sbom.cdx.json /usr/share/doc/ecs-access/sbom.cdx.json
COPY LICENSE /usr/share/doc/ecs-access/LICENSE

# What Node compiles is not kept: the file system is read-only, and the controller starts once.
ENV NODE_ENV=production \
	NODE_DISABLE_COMPILE_CACHE=1 \
	HOME=/var/lib/ecs-access \
	XDG_STATE_HOME=/var/lib/ecs-access
USER 10001:10001
VOLUME ["/tmp", "/var/lib/ecs-access"]
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
	CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/ecs-access/dist/controller/main.js"]
CMD ["--help"]
