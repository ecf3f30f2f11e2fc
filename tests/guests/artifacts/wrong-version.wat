;; A provider for version 9 of the contract: it imports and exports what this host has never heard of.
;; Loading must refuse it with an error that names the version, before any of its code runs.
(component
  (import "mortise:plugin/log@9.0.0" (instance $log
    (export "write" (func (param "message" string)))))
  (core module $module
    (func (export "describe")))
  (core instance $instance (instantiate $module))
  (func $describe (canon lift (core func $instance "describe")))
  (instance $provider
    (export "describe" (func $describe)))
  (export "mortise:plugin/provider@9.0.0" (instance $provider))
)
