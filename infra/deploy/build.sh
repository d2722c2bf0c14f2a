#!/usr/bin/env bash
# Build the two images of the commit that is checked out and push them: build.sh REGISTRY
# Prints a line NAME=ADDRESS@DIGEST for each. One that the registry has already is not built again, as its tags are final.
set -euo pipefail
registry=${1:?which registry? ACCOUNT.dkr.ecr.REGION.amazonaws.com}
[ -z "$(git status --porcelain)" ] || { echo "commit first: an image is named by the commit that it holds" >&2; exit 1; }
commit=$(git rev-parse HEAD)

for image in server trainer; do
  address=$registry/adloop/$image
  digest=$(aws ecr batch-get-image --repository-name "adloop/$image" --image-ids "imageTag=$commit" \
    --query 'images[0].imageId.imageDigest' --output text)
  if [ "$digest" = None ]; then
    docker build --file infra/images/Dockerfile --target "$image" --build-arg "COMMIT=$commit" \
      ${BASE:+--build-arg "BASE=$BASE"} --tag "$address:$commit" . >&2
    docker push "$address:$commit" >&2
    digest=$(docker inspect --format '{{index .RepoDigests 0}}' "$address:$commit")
  fi
  echo "$image=$address@${digest##*@}"
done
