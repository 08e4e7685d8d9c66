# The appliance on its embedded default. The bases can be replaced by images made locally
# (docs/container.md).
ARG NODE_IMAGE=node:20-bookworm-slim
ARG GO_IMAGE=golang:1.26-bookworm
ARG RUN_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS ui
WORKDIR /src
COPY deploy/fetch-onnxruntime.sh deploy/
RUN sh deploy/fetch-onnxruntime.sh /out
COPY web/ui/package.json web/ui/package-lock.json web/ui/
RUN cd web/ui && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-fund --no-audit
COPY web/openapi.json web/
COPY web/ui web/ui
RUN cd web/ui && npm run build

FROM ${GO_IMAGE} AS build
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    g++ pkg-config libopencv-core-dev libopencv-imgproc-dev libopencv-calib3d-dev libaravis-dev libusb-1.0-0-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=ui /src/web/ui/dist web/ui/dist
ARG VERSION=development
RUN go build -trimpath -ldflags "-X main.version=${VERSION}" -o /out/coilsight ./cmd/coilsight

FROM ${RUN_IMAGE}
# OpenCV's packages depend on OpenGL drivers and their compiler, 160 MB that nothing here loads: those
# files are left out, the packages stay known to apt. The user's number is fixed because volumes keep it.
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o 'Dpkg::Options::=--path-exclude=/usr/lib/*/libLLVM*' \
    -o 'Dpkg::Options::=--path-exclude=/usr/lib/*/libz3*' \
    -o 'Dpkg::Options::=--path-exclude=/usr/lib/*/dri/*' \
    libopencv-core406 libopencv-imgproc406 libopencv-calib3d406 libaravis-0.8-0 tzdata \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 coilsight \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin coilsight \
    && install -d -o coilsight -g coilsight /data
COPY --from=ui /out/libonnxruntime.so.1 /opt/coilsight/
COPY --from=build /out/coilsight /opt/coilsight/
# GOMEMLIMIT is where the collector works harder: four times what a line at full load holds.
ENV PATH=/opt/coilsight:$PATH GOMEMLIMIT=1GiB
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["coilsight", "health"]
ENTRYPOINT ["coilsight"]
CMD ["run", "--data", "/data", "--listen", "0.0.0.0:8080"]
