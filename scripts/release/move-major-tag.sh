#!/bin/sh
# Has vX point at vX.Y.Z ($GITHUB_REF_NAME, $GITHUB_SHA of $GITHUB_REPOSITORY), unless a later release of X is there: one that only mends an older version takes nobody back.
# Needs `gh` with leave to write contents.
set -eu
tag=$GITHUB_REF_NAME
major=${tag%%.*}
newest=$(gh api --paginate "repos/$GITHUB_REPOSITORY/git/matching-refs/tags/$major." --jq '.[].ref' | sed -n 's|^refs/tags/\(v[0-9]*\.[0-9]*\.[0-9]*\)$|\1|p' | sort -V | tail -n 1)
if [ "$newest" != "$tag" ]; then
	echo "$major stays where it is: $newest is newer than $tag"
	exit 0
fi
if gh api "repos/$GITHUB_REPOSITORY/git/ref/tags/$major" >/dev/null 2>&1; then
	gh api --method PATCH "repos/$GITHUB_REPOSITORY/git/refs/tags/$major" -f "sha=$GITHUB_SHA" -F force=true >/dev/null
else
	gh api --method POST "repos/$GITHUB_REPOSITORY/git/refs" -f "ref=refs/tags/$major" -f "sha=$GITHUB_SHA" >/dev/null
fi
echo "$major is $tag now"
