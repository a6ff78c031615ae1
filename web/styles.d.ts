/** The bundler takes them; the compiler need not know what is in them. */
declare module "*.css";
