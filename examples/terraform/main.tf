# Nodes that enrol themselves, made, replaced and destroyed by Terraform.
#
# - The token is in no state and in no plan: `handfast` writes it into a file of mode 0600, and the node's own first boot takes
#   it from there. So there is nothing to drift when it is spent.
# - What makes it another node is one hash: it replaces the lease, and everything else of the node with it.
# - The lease is made first, and making it cannot fail. So it is always there to be destroyed, and to revoke what was issued
#   under it: Terraform runs no destroy-time provisioner of a resource whose creation has failed.
# - Who has a key goes on with it, who has none takes a new token: a spent one is never tried with a new key.

terraform {
  required_version = ">= 1.4" # terraform_data
}

variable "url" {
  type        = string
  description = "The provisioner's API, for example https://enrol.example.org/api"
}

variable "operator_token_file" {
  type        = string
  description = "The file that holds an operator's token"
}

variable "scope" {
  type        = string
  description = "The scope whose quota counts"
  default     = "default"
}

variable "nodes" {
  type        = map(string)
  description = "Each node, and what makes it another node when it changes, its image for one"
}

variable "folder" {
  type        = string
  description = "Where the nodes live, and where their tokens wait for them"
}

locals {
  hashes = { for name, what in var.nodes : name => sha256(jsonencode([var.scope, name, what])) }
}

# That there is a node. Its id is the keeper of the package: the same keeper again is the same package, also after a lost reply,
# and a destroy that comes late ends only the package of its own lease.
# A snapshot: later changes of anything but the hash change nothing.
resource "terraform_data" "lease" {
  for_each = local.hashes

  triggers_replace = each.value
  input = {
    url        = var.url
    token_file = var.operator_token_file
    scope      = var.scope
    name       = each.key
    folder     = "${var.folder}/${each.key}"
  }
  lifecycle {
    ignore_changes = [input]
  }

  provisioner "local-exec" {
    when    = destroy
    command = "handfast package revoke --scope \"$SCOPE\" --name \"$NAME\" --keeper lease=\"$LEASE\" && rm -rf \"$FOLDER\""
    environment = {
      HANDFAST_URL                 = self.output.url
      HANDFAST_OPERATOR_TOKEN_FILE = self.output.token_file
      SCOPE                        = self.output.scope
      NAME                         = self.output.name
      LEASE                        = self.id
      FOLDER                       = self.output.folder
    }
  }
}

# Its package, of which nothing is handed over yet.
resource "terraform_data" "package" {
  for_each = local.hashes

  input = merge(terraform_data.lease[each.key].output, { lease = terraform_data.lease[each.key].id })
  lifecycle {
    replace_triggered_by = [terraform_data.lease[each.key]]
    ignore_changes       = [input]
  }

  provisioner "local-exec" {
    command = "handfast package issue --no-deliver --scope \"$SCOPE\" --name \"$NAME\" --keeper lease=\"$LEASE\""
    environment = {
      HANDFAST_URL                 = self.output.url
      HANDFAST_OPERATOR_TOKEN_FILE = self.output.token_file
      SCOPE                        = self.output.scope
      NAME                         = self.output.name
      LEASE                        = self.output.lease
    }
  }
}

# The node itself; its folder is its disk. A node that is made anew takes a new token, which gives it the place of the one
# before: the quota counts it once, and the old key is worth nothing. One whose first boot was cut short has its key still and
# goes on: what it redeemed already it gets again with that key. Where the host could not be reached, nobody knows for how long
# that token would be good, and the next attempt takes a new one for the same key. A refused token stays: somebody else may
# have used it, and a new one would cover that up.
resource "terraform_data" "node" {
  for_each = local.hashes

  input = terraform_data.package[each.key].output
  lifecycle {
    replace_triggered_by = [terraform_data.package[each.key]]
    ignore_changes       = [input]
  }

  provisioner "local-exec" {
    command = <<-EOT
      set -eu
      umask 077
      mkdir -p "$FOLDER"
      token=$FOLDER/token state=$FOLDER/state
      if ! [ -e "$state/state.json" ] && ! { [ -e "$state/key.pem" ] && [ -e "$token" ]; }; then
          rm -f "$token"
          handfast package reissue --scope "$SCOPE" --name "$NAME" --keeper lease="$LEASE" --out "$token"
      fi
      first-boot --token-file "$token" --state-dir "$state" || {
          code=$?
          [ "$code" != 3 ] || rm -f "$token"
          exit "$code"
      }
    EOT
    environment = {
      HANDFAST_URL                 = self.output.url
      HANDFAST_OPERATOR_TOKEN_FILE = self.output.token_file
      SCOPE                        = self.output.scope
      NAME                         = self.output.name
      LEASE                        = self.output.lease
      FOLDER                       = self.output.folder
    }
  }

  provisioner "local-exec" {
    when        = destroy
    command     = "rm -rf \"$FOLDER\""
    environment = { FOLDER = self.output.folder }
  }
}
