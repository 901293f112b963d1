// Lets plain node run the sources: `.js` in an import means the `.ts` beside it, and the sources are ES modules in form.
import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL !== undefined) {
      const source = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
      if (existsSync(fileURLToPath(source)))
        return { url: source.href, format: "module-typescript", shortCircuit: true };
    }
    return next(specifier, context);
  },
  load(url, context, next) {
    return next(url, url.endsWith(".ts") ? { ...context, format: "module-typescript" } : context);
  },
});
