#!/bin/sh
# Fetches again what stands here of other people's: the versions below, unchanged but for one line of ReDoc.
# Needs npm. `git diff --stat` afterwards shows that nothing has changed.
set -eu

swagger_ui=5.35.0
redoc=3.0.1

here=$(cd "$(dirname "$0")" && pwd)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cd "$temporary"
npm pack --silent "swagger-ui-dist@$swagger_ui" "redoc@$redoc" >/dev/null
mkdir swagger-ui redoc
tar xzf "swagger-ui-dist-$swagger_ui.tgz" -C swagger-ui --strip-components=1
tar xzf "redoc-$redoc.tgz" -C redoc --strip-components=1

cp swagger-ui/swagger-ui-bundle.js swagger-ui/swagger-ui-bundle.js.LICENSE.txt swagger-ui/swagger-ui.css "$here"
cp swagger-ui/favicon-32x32.png "$here"
cp swagger-ui/LICENSE "$here/swagger-ui.LICENSE"
cp swagger-ui/NOTICE "$here/swagger-ui.NOTICE"
cp redoc/LICENSE "$here/redoc.LICENSE"

# ReDoc fetches its logo from its maker's servers, and no option stops it. Its name in letters stands there instead.
name="<svg xmlns='http://www.w3.org/2000/svg' width='40' height='12'><text y='10' font-family='sans-serif' font-size='11'>Redoc</text></svg>"
name=$(printf %s "$name" | sed 's/</%3C/g; s/>/%3E/g; s/ /%20/g')
logo='https://cdn\.redoc\.ly/redoc/logo-mini[a-z-]*\.svg'
[ "$(grep -o "$logo" redoc/bundles/redoc.standalone.js | wc -l)" = 2 ] ||
    { echo "vendor: ReDoc has changed how it fetches its logo; look for cdn.redoc.ly in it" >&2; exit 1; }
sed "s#$logo#data:image/svg+xml,$name#g" redoc/bundles/redoc.standalone.js >"$here/redoc.standalone.js"
cd "$here" && sha256sum swagger-ui* favicon* redoc.standalone.js redoc.LICENSE
