/**
 * In place of GitHub's own actions, which would have to be fetched from there and then need its services. They take the inputs the
 * tests give, and keep artifacts as directories below $ARTIFACTS.
 */
export const standIns: Record<string, Record<string, string>> = {
  'actions/upload-artifact': {
    'action.yml': composite({ inputs: ['name', 'path', 'if-no-files-found'], run: `
      [ ! -e "$ARTIFACTS/artifact-$NAME" ] || { echo "there is an artifact $NAME already"; exit 1; }
      [ -d "$FROM" ] || [ -e "$FROM" ] || { echo "no file at $FROM"; exit 1; }
      if [ -d "$FROM" ]; then cp -r "$FROM" "$ARTIFACTS/artifact-$NAME"; exit; fi
      mkdir "$ARTIFACTS/artifact-$NAME"
      cp "$FROM" "$ARTIFACTS/artifact-$NAME/"` }),
  },
  'actions/download-artifact': {
    'action.yml': composite({ inputs: ['name', 'path', 'run-id', 'github-token'], run: `
      mkdir -p "$FROM"
      cp -r "$ARTIFACTS/artifact-$NAME/." "$FROM"` }),
  },
  // The uses of the tests have no volumes.
  'actions/cache': Object.fromEntries(['restore', 'save'].map((verb) => [`${verb}/action.yml`, composite({ inputs: ['path', 'key', 'restore-keys'], run: 'exit 1' })])),
};

function composite({ inputs, run }: { inputs: readonly string[]; run: string }): string {
  return `name: stand-in
description: for tests
inputs:
${inputs.map((name) => `  ${name}: { required: false }`).join('\n')}
runs:
  using: composite
  steps:
    - shell: bash
      env: { NAME: '\${{ inputs.name }}', FROM: '\${{ inputs.path }}' }
      run: |
        ${run.trim().split('\n').map((line) => line.trim()).join('\n        ')}
`;
}
