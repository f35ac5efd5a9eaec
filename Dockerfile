# featurectl as an image: docker build -t featurectl . && docker run --rm featurectl --version
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY scripts ./scripts
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY bin /app/bin
COPY LICENSE /app/LICENSE
RUN ln -s /app/bin/featurectl.js /usr/local/bin/featurectl
# Relative paths on the command line are those of the volume that is mounted here.
WORKDIR /data
USER node
ENTRYPOINT ["featurectl"]
CMD ["--help"]
